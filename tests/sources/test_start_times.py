"""When the nodes of a cluster were started is in what fetch and sync write, so that a file knows what was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mltasks
from mltasks.tasks import metadata
from support.documents import CREATED
from support.stub_cluster import StubCluster


def open_task(number: int, asked: Any, answer: Any) -> Any:
    for hit in answer["hits"]["hits"]:
        hit["_source"] = {**hit["_source"], "state": "RUNNING", "model_id": None}
    return answer


def told(cluster: StubCluster, started_ms: int) -> StubCluster:
    node = {"name": "n1", "roles": ["data"], "jvm": {"start_time_in_millis": started_ms}}
    cluster.others["/_nodes/_all/jvm"] = {"nodes": {"node-1": node}}
    return cluster


def test_what_was_fetched_or_synced_says_that_a_restart_lost_it(tmp_path: Path) -> None:
    with told(StubCluster({"task-1": 1}, open_task), CREATED - 1000) as cluster:
        assert mltasks.unfinished(mltasks.load(cluster.url))["verdict"].tolist() == ["overdue"]
        told(cluster, CREATED + 5001)
        mltasks.fetch(cluster.url, tmp_path / "t.parquet")
        mltasks.Store(tmp_path / "store").sync(cluster.url)
    for name in ("t.parquet", "store"):
        table = mltasks.unfinished(mltasks.scan(str(tmp_path / name)))
        assert table["verdict"].tolist() == ["lost"]
        assert table["evidence"].tolist() == ["n1 started 2023-11-14 22:13:25, task created 2023-11-14 22:13:20"]
    context = mltasks.scan(str(tmp_path / "store")).context
    assert context.readings[0].nodes == {"node-1": metadata.Node("n1", ("data",), CREATED + 5001)}
