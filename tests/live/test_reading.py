"""What is read from a real server is all that is there, whatever happens meanwhile."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from live.made_up import TASKS, fill, remove
from live.server import Server
from live.writer import Writer
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.lenient_json import loads
from mltasks.opensearch.pagination import SeqNoPagination
from mltasks.opensearch.retry_policy import RetryPolicy

SEARCH = "/_plugins/_ml/tasks/_search"


def counted(server: Server) -> int:
    answer = server.ask("POST", SEARCH, {"size": 0, "track_total_hits": True})
    return int(answer["hits"]["total"]["value"])


def walk(server: Server, **options: Any) -> SeqNoPagination:
    return SeqNoPagination(
        Cluster(server.url, retry_policy=RetryPolicy(sleep=lambda seconds: None)), Decoder(), **options
    )


def ids(begun: SeqNoPagination) -> list[str]:
    return [task_id for page in begun for task_id in page.table["task_id"].to_pylist()]


@pytest.mark.parametrize("page_size", [1, 7, 5000])
def test_every_task_comes_once_whatever_the_page_size(quiet_cluster: Server, page_size: int) -> None:
    found = ids(walk(quiet_cluster, page_size=page_size))
    assert len(found) == len(set(found)) == counted(quiet_cluster)


def test_pages_that_end_exactly_with_the_last_task_are_enough(quiet_cluster: Server) -> None:
    total = counted(quiet_cluster)
    found = ids(walk(quiet_cluster, page_size=total))
    assert len(found) == total


def test_the_table_holds_what_the_server_says_of_each_task(quiet_cluster: Server) -> None:
    tasks = mltasks.load(quiet_cluster.url).set_index("task_id")
    hits = quiet_cluster.ask("POST", SEARCH, {"size": 1000})["hits"]["hits"]
    for hit in hits:
        row, source = tasks.loc[hit["_id"]], hit["_source"]
        assert row["seq_no"] == hit["_seq_no"]
        assert row["state"] == source["state"]
        assert row["worker_node"] == ",".join(source["worker_node"])
        assert row["create_time"] == pd.Timestamp(source["create_time"], unit="ms", tz="UTC")
        assert (None if pd.isna(row["error"]) else row["error"]) == source.get("error")


def test_nodes_and_the_time_out_are_read_with_the_tasks(quiet_cluster: Server) -> None:
    context = loads(mltasks.load(quiet_cluster.url).attrs["mltasks"].encode())
    (reading,) = context["readings"]
    nodes = quiet_cluster.ask("GET", "/_nodes/_all/none")["nodes"]
    assert {key: node["name"] for key, node in reading["nodes"].items()} == {k: n["name"] for k, n in nodes.items()}
    assert reading["timeout_s"] == 600
    assert not reading["timeout_assumed"]
    assert reading["cluster"] == quiet_cluster.url.removeprefix("http://")


def test_a_task_updated_mid_walk_is_seen_once_in_its_newest_form(quiet_cluster: Server) -> None:
    made = fill(quiet_cluster, 30)
    begun = walk(quiet_cluster, page_size=10)
    tables, changed = [], False
    for page in begun:
        tables.append(page.table)
        if not changed and made[0] in page.table["task_id"].to_pylist():
            update = {"doc": {"state": "CANCELLED"}}
            quiet_cluster.ask("POST", f"/{TASKS}/_update/{made[0]}?refresh=true", update)
            changed = True
    rows = pd.concat([table.select(["task_id", "state", "seq_no"]).to_pandas() for table in tables])
    forms = rows[rows["task_id"] == made[0]]
    assert list(forms["state"].iloc[1:]) == ["CANCELLED"]
    assert forms["seq_no"].iloc[1] > begun.last_seq_no
    assert rows["task_id"].value_counts().drop(made[0]).eq(1).all()
    remove(quiet_cluster, made)


def test_a_task_created_mid_walk_is_there_and_a_deleted_one_breaks_nothing(quiet_cluster: Server) -> None:
    made = fill(quiet_cluster, 30)
    before = counted(quiet_cluster)
    found: list[str] = []
    late: list[str] = []
    for page in walk(quiet_cluster, page_size=10):
        found += page.table["task_id"].to_pylist()
        if not late:
            late = fill(quiet_cluster, 5, seed=11)
            remove(quiet_cluster, made[-5:])
    assert set(late) <= set(found)
    assert not set(made[-5:]) & set(found)
    assert len(found) == before
    remove(quiet_cluster, [*made[:-5], *late])


def test_a_walk_that_is_left_halfway_leaves_nothing_under_way(quiet_cluster: Server) -> None:
    cluster = Cluster(quiet_cluster.url)
    for _ in SeqNoPagination(cluster, Decoder(), page_size=10):
        break
    assert len(ids(SeqNoPagination(cluster, Decoder(), page_size=10))) == counted(quiet_cluster)
    cluster.close()


def test_two_walks_over_one_connection_do_not_take_each_others_answers(quiet_cluster: Server) -> None:
    cluster = Cluster(quiet_cluster.url)
    one, other = (iter(SeqNoPagination(cluster, Decoder(), page_size=size)) for size in (10, 7))
    found = [page.table["task_id"].to_pylist() for pair in itertools.zip_longest(one, other) for page in pair if page]
    numbers = Counter(task_id for page in found for task_id in page)
    assert len(numbers) == counted(quiet_cluster)
    assert set(numbers.values()) == {2}
    cluster.close()


def test_fetch_under_a_writer_gives_each_task_once_and_misses_none(quiet_cluster: Server, tmp_path: Path) -> None:
    base = fill(quiet_cluster, 4000, seed=21)
    writer = Writer(quiet_cluster, rate=600)
    with writer:
        writer.wait_for(20)
        mltasks.fetch(quiet_cluster.url, tmp_path / "t.parquet", Access(page_size=100))
        mltasks.fetch(quiet_cluster.url, tmp_path / "t.ndjson.gz", Access(page_size=100))
        writer.wait_for(1000)
    for name in ("t.parquet", "t.ndjson.gz"):
        found = Counter(mltasks.load(tmp_path / name)["task_id"])
        assert max(found.values()) == 1
        assert set(base) | writer.kept <= set(found)
    remove(quiet_cluster, {*base, *writer.left})
    assert len(mltasks.load(quiet_cluster.url)) == counted(quiet_cluster)


def test_a_task_that_leaves_the_filter_mid_walk_is_there_once_as_it_was_or_not_at_all(
    quiet_cluster: Server, tmp_path: Path
) -> None:
    made = fill(quiet_cluster, 60, seed=31)
    for task_id in made:
        quiet_cluster.ask("POST", f"/{TASKS}/_update/{task_id}", {"doc": {"state": "RUNNING"}})
    quiet_cluster.ask("POST", f"/{TASKS}/_refresh")
    query = {"term": {"state": "RUNNING"}}
    found: Counter[str] = Counter()
    states: set[str] = set()
    left: list[str] = []
    for page in walk(quiet_cluster, query=query, page_size=10):
        found.update(page.table["task_id"].to_pylist())
        states |= set(page.table["state"].to_pylist())
        if not left:
            left = [made[0], made[30], made[59]]
            for task_id in left:
                done = {"doc": {"state": "COMPLETED"}}
                quiet_cluster.ask("POST", f"/{TASKS}/_update/{task_id}?refresh=true", done)
    assert states == {"RUNNING"}
    assert max(found.values()) == 1
    assert set(made) - set(left) <= set(found)
    remove(quiet_cluster, made)


def test_a_file_that_was_fetched_says_how_many_tasks_it_holds(quiet_cluster: Server, tmp_path: Path) -> None:
    context = mltasks.fetch(quiet_cluster.url, tmp_path / "t.parquet")
    assert context.rows == counted(quiet_cluster) == len(pd.read_parquet(tmp_path / "t.parquet"))
