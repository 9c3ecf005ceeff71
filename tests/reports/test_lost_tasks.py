"""How many tasks are lost, wherever a number of them is shown: known, or not known; never a zero for want of proof."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mltasks.reports import report_info
from mltasks.reports.page_reports import run_reports
from mltasks.tasks.metadata import ClusterInfo, Node
from support.generated import AS_OF, HOUR, MINUTE, life, made

OPEN = {**life(9 * MINUTE, 9 * MINUTE), "state": "RUNNING"}
WAITING = {**OPEN, "task_type": "BATCH_PREDICTION", "function_name": "REMOTE"}


def read(cluster: str, age_ms: int | None) -> ClusterInfo:
    """Return what a cluster told whose node was started so long ago, or who knows when."""
    node = Node("alpha", started_ms=None if age_ms is None else AS_OF - age_ms)
    return ClusterInfo(cluster=cluster, as_of_ms=AS_OF, timeout_assumed=False, nodes={"node-1": node})


def lost(tables: dict[str, pd.DataFrame]) -> float | None:
    value = tables["headline"].set_index("measure")["value"]["lost"]
    return None if pd.isna(value) else float(value)


@pytest.mark.parametrize(
    ("task", "started", "count"),
    [
        ({**OPEN, "worker_node": ["node-1"]}, 2 * HOUR, 0),
        ({**OPEN, "worker_node": ["node-1"]}, MINUTE, 1),
        ({**OPEN, "worker_node": ["node-1"]}, None, None),
        ({**OPEN, "worker_node": ["gone"]}, None, 1),  # that its node has left needs no start time
        ({**WAITING, "worker_node": ["node-1"]}, None, 0),  # a provider's: no node can lose it
        ({"state": "COMPLETED", "worker_node": ["node-1"]}, None, 0),
    ],
)
def test_a_number_of_lost_tasks_is_missing_where_one_may_be_and_none_is_proven(
    task: dict[str, Any], started: int | None, count: int | None
) -> None:
    tables = run_reports(made(task, readings=(read("east", started),)).pandas())
    assert lost(tables) == count
    (note,) = report_info.read_info(tables["headline"]).notes
    assert ("lost is not known" in note) == (count is None)


def test_of_several_clusters_each_has_its_own() -> None:
    tasks = [
        {**each, "cluster": cluster, "worker_node": ["node-1"], "task_id": f"{cluster}-{place}"}
        for cluster in ("east", "north", "west")
        for place, each in enumerate((OPEN, {"state": "COMPLETED"}))
    ]
    readings = (read("east", MINUTE), read("north", 2 * HOUR), read("west", None))
    tables = run_reports(made(*tasks, readings=readings).pandas())
    rows = tables["clusters"].set_index("cluster")["lost"]
    assert {name: None if pd.isna(count) else int(count) for name, count in rows.items()} == {
        "east": 1,
        "north": 0,
        "west": None,
    }
    (note,) = [n for n in report_info.read_info(tables["unfinished"]).notes if n.startswith("when the nodes of")]
    assert note.startswith("when the nodes of west were started is not part of what was read")
