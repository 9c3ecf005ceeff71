"""A report says of a cluster what the server itself says, and the same from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from live.server import Server
from mltasks.cli.main import main

SEARCH = "/_plugins/_ml/tasks/_search"
EXAMPLE = {"bool": {"filter": [{"term": {"function_name": "KMEANS"}}]}}  # from the API's documentation


@pytest.fixture(scope="module")
def fetched(quiet_cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fetched") / "t.parquet"
    assert main(["fetch", quiet_cluster.url, "-o", str(path)]) == 0
    return path


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def test_failures_equals_the_servers_own_aggregation(quiet_cluster: Server) -> None:
    states = {"terms": {"field": "state", "size": 50}}
    body = {"size": 0, "aggs": {"f": {"terms": {"field": "function_name", "size": 50}, "aggs": {"s": states}}}}
    buckets = quiet_cluster.ask("POST", SEARCH, body)["aggregations"]["f"]["buckets"]
    expected = {bucket["key"]: {s["key"]: s["doc_count"] for s in bucket["s"]["buckets"]} for bucket in buckets}
    found = mltasks.failures(mltasks.load(quiet_cluster.url), by="function_name").set_index("function_name")
    assert set(found.index) == set(expected)
    for name, counts in expected.items():
        row = found.loc[name]
        assert row["tasks"] == sum(counts.values())
        assert row["failed"] == counts.get("FAILED", 0)
        assert row["completed"] == counts.get("COMPLETED", 0) + counts.get("COMPLETED_WITH_ERROR", 0)
        assert row["failure_rate"] == row["failed"] / (row["completed"] + row["failed"])


@pytest.mark.parametrize("report", ["durations", "failures", "list"])
def test_a_report_has_equal_rows_from_the_url_and_from_the_file(
    quiet_cluster: Server, fetched: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    of_url, of_file = (pd.DataFrame(rows(capsys, report, source)) for source in (quiet_cluster.url, str(fetched)))
    pd.testing.assert_frame_equal(of_url, of_file, rtol=1e-12)  # two engines, which add in another order


@pytest.mark.parametrize(
    "flags",
    [
        ["--function-name", "KMEANS"],
        ["--function-name", "kmeans", "--function-name", "Fit_Rcf"],
        ["--state", "failed"],
        ["--not-state", "COMPLETED", "--task-type", "training"],
        ["--outcome", "completed"],
        ["--not-outcome", "failed"],
        ["--not-task-type", "TRAINING", "--not-task-type", "DEPLOY_MODEL"],
        ["--since", "1h"],
        ["--until", "2020-01-01"],
        ["--error", "all shards"],
        ["--error", "FAILED TO FIND MODEL"],
    ],
    ids=" ".join,
)
def test_a_filter_selects_the_same_tasks_on_the_server_and_in_the_file(
    quiet_cluster: Server, fetched: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert rows(capsys, "list", quiet_cluster.url, *flags) == rows(capsys, "list", str(fetched), *flags)


def test_a_node_is_selected_by_its_name_and_one_that_is_not_there_is_refused(
    quiet_cluster: Server, fetched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_url, of_file = (rows(capsys, "list", s, "--node", quiet_cluster.name) for s in (quiet_cluster.url, str(fetched)))
    assert len(of_url) > 0
    assert of_url == of_file
    for source in (quiet_cluster.url, str(fetched)):
        assert main(["list", source, "--node", "no-such-node"]) == 2
        assert "node: no node is called 'no-such-node'" in capsys.readouterr().err


def test_the_apis_example_query_selects_what_the_filter_selects(
    quiet_cluster: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    queried = rows(capsys, "failures", quiet_cluster.url, "--query", json.dumps(EXAMPLE))
    assert queried == rows(capsys, "failures", quiet_cluster.url, "--function-name", "KMEANS")
    assert sum(row["tasks"] for row in queried) > 0


def test_a_query_and_a_filter_select_what_both_select(quiet_cluster: Server) -> None:
    both = mltasks.load(quiet_cluster.url, query=EXAMPLE, state="FAILED")
    assert set(both["function_name"]) == {"KMEANS"}
    assert set(both["state"]) == {"FAILED"}


def test_a_query_is_named_where_the_output_says_what_it_covers(
    quiet_cluster: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["failures", quiet_cluster.url, "--query", json.dumps(EXAMPLE)])
    assert 'query {"bool"' in " ".join(capsys.readouterr().out.split())


def test_get_finds_tasks_by_id_and_names_those_that_are_not_there(
    quiet_cluster: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    known = mltasks.load(quiet_cluster.url)["task_id"].iloc[:3]
    found = mltasks.get(quiet_cluster.url, list(known[::-1]))
    assert list(found["task_id"]) == list(known[::-1])
    assert main(["get", quiet_cluster.url, known.iloc[0], "-no-such-task-id-000"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    place = f"mltasks: {quiet_cluster.url}"
    assert said.err == f"{place}: there is no task -no-such-task-id-000; list them with mltasks list\n"


def test_a_workers_report_shows_the_node_by_its_name(quiet_cluster: Server) -> None:
    (name,) = [node["name"] for node in quiet_cluster.ask("GET", "/_nodes/_all/none")["nodes"].values()]
    workers = mltasks.workers(mltasks.scan(quiet_cluster.url))
    assert list(workers["node_name"]) == [name]
    assert workers["task_share"].sum() == pytest.approx(1.0)


def test_what_the_failed_agents_say_is_their_reason(quiet_cluster: Server) -> None:
    tasks = mltasks.load(quiet_cluster.url, task_type="AGENT_EXECUTION", outcome="failed")
    assert tasks["error"].isna().all()
    assert tasks["reason"].notna().all()
    assert len(tasks) == 3


def test_a_deployment_that_failed_names_its_nodes(quiet_cluster: Server) -> None:
    tasks = mltasks.load(quiet_cluster.url, task_type="DEPLOY_MODEL", outcome="failed")
    named = mltasks.by_node(tasks)
    assert named["node_failed"].all()
    assert named["node_error"].notna().all()
    assert isinstance(named, pd.DataFrame)
