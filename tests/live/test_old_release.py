"""The same reading on 2.19, the last of the 2.x line; docs/versions.md says what differs there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mltasks
from live.made_up import fill, remove
from live.make_tasks import ML
from live.server import Server
from live.workload import make_all
from mltasks.cli.main import main
from mltasks.reports import report_info
from mltasks.reports.registry import REPORTS
from mltasks.tasks.filter_options import FilterOptions

SEARCH = f"{ML}/tasks/_search"


@pytest.fixture(scope="module")
def old_cluster(old_server: Server) -> Server:
    """The old server with real tasks on it."""
    make_all(old_server)
    return old_server


def test_an_index_that_does_not_exist_yet_is_an_empty_table(old_server: Server) -> None:
    assert len(mltasks.load(old_server.url)) == 0


def test_every_task_is_read_and_failures_equals_the_servers_aggregation(old_cluster: Server, tmp_path: Path) -> None:
    states = {"terms": {"field": "state", "size": 50}}
    body = {"size": 0, "aggs": {"f": {"terms": {"field": "function_name", "size": 50}, "aggs": {"s": states}}}}
    answer = old_cluster.ask("POST", SEARCH, body)
    mltasks.fetch(old_cluster.url, tmp_path / "t.parquet")
    tasks = mltasks.load(tmp_path / "t.parquet")
    assert len(tasks) == tasks["task_id"].nunique() == answer["hits"]["total"]["value"]
    expected = {
        bucket["key"]: {s["key"]: s["doc_count"] for s in bucket["s"]["buckets"]}.get("FAILED", 0)
        for bucket in answer["aggregations"]["f"]["buckets"]
    }
    failures = mltasks.failures(tasks, by="function_name")
    assert dict(zip(failures["function_name"], failures["failed"], strict=True)) == expected


def test_whole_numbers_of_a_remote_job_come_as_floats_and_stay_as_they_came(old_cluster: Server) -> None:
    job = {"created_at": 1795558060.0, "request_counts": {"total": 10.0}}
    task = {"task_type": "BATCH_PREDICTION", "state": "RUNNING", "create_time": 1, "remote_job": job}
    old_cluster.ask("PUT", "/.plugins-ml-task/_doc/with-a-job?refresh=true", task)
    found = mltasks.get(old_cluster.url, "with-a-job")
    assert json.loads(found["remote_job"].iloc[0]) == job
    assert mltasks.parse_json(found, "remote_job")["request_counts.total"].iloc[0] == 10
    old_cluster.ask("DELETE", "/.plugins-ml-task/_doc/with-a-job?refresh=true")


def test_a_store_follows_it(old_cluster: Server, tmp_path: Path) -> None:
    store = mltasks.Store(tmp_path / "history")
    store.sync(old_cluster.url)
    made = fill(old_cluster, 5)
    found = store.sync(old_cluster.url)
    assert (found.new, found.updated, found.missing, found.anew) == (5, 0, 0, False)
    assert sorted(mltasks.load(store)["task_id"]) == sorted(mltasks.load(old_cluster.url)["task_id"])
    remove(old_cluster, made)


def test_a_filter_selects_the_same_on_the_server_and_in_a_file(old_cluster: Server, tmp_path: Path) -> None:
    mltasks.fetch(old_cluster.url, tmp_path / "t.parquet")
    words: list[FilterOptions] = [
        {"state": "failed"},
        {"function_name": "kmeans"},
        {"outcome": "completed"},
        {"not_task_type": "TRAINING"},
    ]
    for word in words:
        there = mltasks.load(old_cluster.url, **word)["task_id"]
        here = mltasks.load(tmp_path / "t.parquet", **word)["task_id"]
        assert len(there) > 0
        assert sorted(there) == sorted(here)


def test_a_rejected_query_is_one_line(old_cluster: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["failures", old_cluster.url, "--query", '{"nope": {}}']) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"mltasks: {old_cluster.url} answers 400: the query is rejected: unknown query [nope]\n"


def test_what_is_read_beside_the_tasks_is_there_too_and_no_report_misses_anything(old_cluster: Server) -> None:
    tasks = mltasks.scan(old_cluster.url)
    (info,) = tasks.context.readings
    assert info.not_read == ()
    assert [node.name for node in (info.nodes or {}).values()] == [old_cluster.name]
    tables = {name: report.function()(tasks) for name, report in REPORTS.items()}
    for table in tables.values():
        assert not [note for note in report_info.read_info(table).notes if "not known" in note or "not read" in note]
    assert "unknown" not in set(tables["models"]["verdict"])
    assert len(tables["models"]) > 0
    assert tables["durations"]["wait_s"].notna().any()
    assert set(tables["unfinished"]["verdict"]) <= {"waiting"}
