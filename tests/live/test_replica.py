"""A cluster with a replica, whose copies refresh each at its own time: nothing is missing, nothing comes twice.

`benchmarks/replica.py` runs the same a hundred times as often; docs/reliability.md has what came of it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import mltasks
from live.made_up import fill
from live.two_nodes import TwoNodes
from live.updater import Updater
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.pagination import SeqNoPagination

TASKS, PAGE, RATE = 1500, 100, 25
WALKS, RECONCILES = 10, 3


@pytest.fixture(scope="module")
def filled(two_nodes: TwoNodes) -> list[str]:
    two_nodes.make_index()
    return fill(two_nodes.nodes[0], TASKS, seed=41)


def test_the_index_has_a_replica(two_nodes: TwoNodes, filled: list[str]) -> None:
    shards = two_nodes.nodes[0].ask("GET", "/_cat/shards/.plugins-ml-task?format=json")
    assert sorted(shard["prirep"] for shard in shards) == ["p", "r"]
    assert {shard["state"] for shard in shards} == {"STARTED"}


def test_walks_under_updates_miss_no_task_and_have_no_write_twice(two_nodes: TwoNodes, filled: list[str]) -> None:
    with Updater(two_nodes.nodes, filled, RATE) as updater:
        for number in range(WALKS):
            assert missing_and_twice(two_nodes, filled, number) == (set(), set())
    assert updater.updates > 0


def test_reconciles_under_updates_mark_no_task_as_gone(two_nodes: TwoNodes, filled: list[str], tmp_path: Path) -> None:
    cluster = Cluster(two_nodes.nodes[0].url, name="pair")
    with Updater(two_nodes.nodes, filled, RATE, seed=2):
        for _ in range(RECONCILES):
            assert mltasks.Store(tmp_path / "store").sync(cluster, reconcile=True).gone == 0
    cluster.close()
    tasks = mltasks.load(tmp_path / "store")
    assert set(tasks["task_id"]) == set(filled)


def missing_and_twice(two_nodes: TwoNodes, ids: list[str], number: int) -> tuple[set[str], set[int]]:
    """Walk once: the tasks that are missing, and the writes that came twice."""
    cluster = Cluster(two_nodes.nodes[number % 2].url)
    rows = [page.table.select(["task_id", "seq_no"]).to_pylist() for page in walk(cluster)]
    cluster.close()
    writes = Counter(row["seq_no"] for page in rows for row in page)
    missing = set(ids) - {row["task_id"] for page in rows for row in page}
    return missing, {number for number, count in writes.items() if count > 1}


def walk(cluster: Cluster) -> SeqNoPagination:
    return SeqNoPagination(cluster, Decoder(), page_size=PAGE)
