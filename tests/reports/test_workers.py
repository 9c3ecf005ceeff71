from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.engines import duckdb, duckdb_sql
from mltasks.engines.dataset import Dataset
from mltasks.reports import report_info
from mltasks.tasks import arrow_schema, table
from mltasks.tasks.metadata import ClusterInfo, Node
from support.generated import AS_OF, DAY, HOUR, NODES, life, made
from support.slow_reports import as_rows

MINUTE = 60_000
ONE = (ClusterInfo(cluster="east", as_of_ms=AS_OF, nodes={"n-1": Node("alpha")}),)


def load(*tasks: dict[str, Any], by: Any = (), **options: Any) -> dict[str, Any]:
    """Return the one row that both engines agree on."""
    some = made(*tasks, readings=ONE)
    row, other = (as_rows(mltasks.workers(source, by=by, **options), []) for source in (some.pandas(), some.dataset()))
    assert row == other
    return row[()]


LOADS: list[tuple[list[dict[str, Any]], float, float, int]] = [
    ([life(9000, 4000)], 5.0, 5.0, 1),
    ([life(9000, 4000), life(9000, 4000)], 10.0, 5.0, 2),
    ([life(9000, 4000), life(4000, 1000)], 8.0, 8.0, 1),
    ([life(9000, 4000), life(4001, 1000)], 8.001, 8.0, 2),
    ([life(9000, 8000), life(2000, 1000)], 2.0, 2.0, 1),
    ([life(9000, 1000), life(8000, 2000), life(7000, 3000)], 18.0, 8.0, 3),
    ([life(9000, 9000)], 0.001, 0.001, 1),
    ([life(9000, 9000), life(9000, 9000)], 0.002, 0.001, 2),
    ([life(9000, 9000), life(8999, 8000)], 1.0, 1.0, 1),
    ([life(9000, 4000, state="RUNNING")], 9.0, 9.0, 1),
    ([life(9000, 4000, state="MOULTING")], 9.0, 9.0, 1),
    ([life(660_000, 4000, state="RUNNING")], 660.0, 660.0, 1),
    ([life(660_001, 4000, state="RUNNING")], 600.0, 600.0, 1),
    ([life(660_001, 4000, state="RUNNING", task_type="AGENT_EXECUTION")], 660.001, 660.001, 1),
    ([life(9000, 4000, task_type="BATCH_PREDICTION")], 0, 0, 0),
    ([life(9000, 4000, task_type="BATCH_PREDICTION", state="RUNNING")], 0, 0, 0),
    ([life(4000, 9000)], 0, 0, 0),
    ([life(9000, 4000, state="FAILED", error="timeout after 5 seconds")], 5.0, 5.0, 1),
    ([life(9000, 4000, last_update_time=None)], 0, 0, 0),
    ([life(9000, -30 * DAY)], 0, 0, 0),
    ([life(9000, -5000)], 9.0, 9.0, 1),
    ([life(9000, 4000, task_type="REGISTER_MODEL", function_name="TEXT_EMBEDDING")], 5.0, 5.0, 1),
    ([life(9000, 4000, task_type="REGISTER_MODEL", function_name=None)], 5.0, 5.0, 1),
    ([life(9000, 4000, task_type="DEPLOY_MODEL", function_name="REMOTE")], 5.0, 5.0, 1),
]


@pytest.fixture(scope="module", params=["pandas", "dataset"])
def loads(request: pytest.FixtureRequest) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = [{**task, "shard": number} for number, (tasks, *_) in enumerate(LOADS) for task in tasks]
    return as_rows(mltasks.workers(getattr(made(*rows, readings=ONE), request.param)(), by="shard"), ["shard"])


@pytest.mark.parametrize("number", range(len(LOADS)), ids=lambda number: str(LOADS[number][0]))
def test_what_is_load(number: int, loads: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    tasks, *expected = LOADS[number]
    row = loads[(number,)]
    assert [row[name] for name in ("task_s", "active_s", "peak_in_flight")] == expected
    assert row["tasks"] == len(tasks)


@pytest.mark.parametrize("task_type", ["REGISTER_MODEL", "UPLOAD_MODEL"])
def test_a_registration_of_a_remote_model_is_in_no_count_and_the_notes_say_so(task_type: str) -> None:
    tasks = made(life(9000, 4000), life(9000, 4000, task_type=task_type, function_name="REMOTE")).pandas()
    for by in ("worker_node", "task_type", ()):
        found = mltasks.workers(tasks, by=by)
        assert found["tasks"].sum() == 1
        assert "1 registration of a remote model left out: it names only the coordinating node" in (
            report_info.read_info(found).notes
        )


def test_a_task_with_several_nodes_counts_once_in_the_total_and_once_on_each_node() -> None:
    tasks = made(life(9000, 4000, worker_node=["n-1", "n-2", "n-1"]), life(2000, 1000)).pandas()
    assert mltasks.workers(tasks, by=[])[["tasks", "task_s"]].to_numpy().tolist() == [[2, 6.0]]
    found = mltasks.workers(tasks, node="n-").set_index("worker_node")
    assert found["tasks"].to_dict() == {"n-1": 2, "n-2": 1, "n-3": 0}
    assert found["task_s"].to_dict() == {"n-1": 6.0, "n-2": 5.0, "n-3": 0.0}
    assert (
        "a task with several nodes counts once on each of them" in report_info.read_info(mltasks.workers(tasks)).notes
    )


def test_a_task_without_a_node_is_in_no_row_of_a_node_and_the_notes_say_so() -> None:
    tasks = made(life(9000, 4000, worker_node=[], task_type="BATCH_INGEST"), life(9000, 4000)).pandas()
    found = mltasks.workers(tasks)
    assert found["tasks"].sum() == 1
    assert found["worker_node"].notna().all()
    assert "1 task left out: it names no node" in report_info.read_info(found).notes
    assert mltasks.workers(tasks, by=[])["tasks"].tolist() == [2]


def test_a_deployment_fails_on_the_nodes_that_its_error_names_or_on_all_of_them() -> None:
    deploy = {"task_type": "DEPLOY_MODEL", "worker_node": ["n-1", "n-2"]}
    tasks = made(
        life(9000, 4000, **deploy, state="COMPLETED_WITH_ERROR", error='{"n-2":"oom","n-3":"oom"}'),
        life(9000, 4000, **deploy, state="FAILED", error="no such model"),
        life(9000, 4000, **deploy, state="FAILED", error='{"n-1":"oom"}'),
    )
    found = mltasks.workers(tasks.dataset(), task_type="DEPLOY_MODEL", cluster="east").set_index("worker_node")
    assert found[["tasks", "completed", "failed"]].to_numpy().tolist() == [[3, 1, 2], [3, 1, 2], [1, 0, 1]]


def test_a_known_node_without_a_task_is_a_row_with_zeros() -> None:
    found = mltasks.workers(made(life(9000, 4000)).dataset())
    shown = found[["worker_node", "node_name", "tasks", "task_s", "peak_in_flight"]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        ["n-1", "alpha", 1, 5.0, 1],
        ["n-2", "beta", 0, 0.0, 0],
        ["n-3", "gamma", 0, 0.0, 0],
        ["w-9", "omega", 0, None, None],  # its cluster was read an hour before
    ]
    assert found["failure_rate"].isna().tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("options", "nodes"),
    [
        ({"cluster": "WEST"}, ["w-9"]),
        ({"node": "bet"}, ["n-2"]),
        ({"node": ["N-1", "omega"]}, ["n-1", "w-9"]),
        ({"node": "n-", "cluster": "east"}, ["n-1", "n-2", "n-3"]),
        ({"by": ["worker_node", "task_type"]}, ["n-1"]),
    ],
)
def test_idle_nodes_are_those_that_the_filters_let_pass(options: dict[str, Any], nodes: list[str]) -> None:
    assert mltasks.workers(made(life(9000, 4000)).pandas(), **options)["worker_node"].tolist() == nodes


def test_a_node_that_has_left_the_cluster_has_no_name_and_comes_last() -> None:
    found = mltasks.workers(made(life(9000, 4000, worker_node=["a-gone"])).pandas(), cluster="east")
    assert found["worker_node"].tolist() == [*NODES, "a-gone"]
    assert found["node_name"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("options", "tasks", "task_s", "mean"),
    [
        ({}, 3, 60 + 0 + 20, 80 / 100),
        ({"since": AS_OF - 50_000}, 2, 10 + 20, 30 / 50),
        ({"until": AS_OF - 50_000}, 2, 50 + 0, 50 / 50),
        ({"since": AS_OF - 60_000, "until": AS_OF - 30_000}, 2, 20, 20 / 30),
        ({"since": AS_OF - 40_000}, 1, 20, 20 / 40),
        ({"since": AS_OF - 20_000, "until": AS_OF + HOUR}, 1, 20, 1),
        ({"since": AS_OF - 10_000, "until": AS_OF - 5000}, 1, 5, 1),
    ],
)
def test_a_window_selects_the_tasks_that_overlap_it_and_clips_them(
    options: dict[str, Any], tasks: int, task_s: float, mean: float
) -> None:
    everything = life(100_000, 40_000), life(60_000, 61_000), life(20_000, 0, state="RUNNING")
    row = load(*everything, **options)
    assert (row["tasks"], row["task_s"], row["mean_in_flight"]) == (tasks, task_s, pytest.approx(mean))


def test_a_scan_with_a_window_and_a_report_with_it_are_the_same() -> None:
    scanned = mltasks.scan("demo", since="15m", until="8m")
    pd.testing.assert_frame_equal(
        mltasks.workers(scanned), mltasks.workers(mltasks.load("demo"), since="15m", until="8m")
    )


def test_what_is_in_flight_ends_at_an_earlier_as_of() -> None:
    row = load(life(9000, 4000), life(9000, 0, state="RUNNING"), as_of=AS_OF - 6000)
    assert (row["task_s"], row["active_s"], row["mean_in_flight"]) == (6.0, 3.0, 2.0)


@pytest.mark.parametrize("by", ["worker_node", "task_type", [], ["worker_node", "function_name"]])
def test_the_shares_of_the_real_load_add_up_to_one(by: Any) -> None:
    found = mltasks.workers(mltasks.load("demo"), by=by)
    assert found["task_share"].sum() == pytest.approx(1)
    assert found["task_share"].tolist() == pytest.approx((found["task_s"] / found["task_s"].sum()).tolist())
    by_period = mltasks.workers(mltasks.load("demo"), by=by, every="5min")
    assert by_period.groupby("period")["task_share"].sum().tolist() == pytest.approx([1] * 5)


@pytest.mark.parametrize("options", [{"since": AS_OF + HOUR}, {"until": AS_OF - DAY}])
def test_a_window_without_any_time_has_no_load(options: dict[str, Any]) -> None:
    for source in (made(life(9000, 4000)).pandas(), made(life(9000, 4000)).dataset()):
        (row,) = mltasks.workers(source, by=[], **options).to_dict("records")
        assert (row["task_s"], row["peak_in_flight"]) == (0, 0)
        assert mltasks.workers(source, by=[], every="1d", **options)["task_s"].sum() == 0


def test_a_load_that_an_engine_hands_over_in_parts_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb_sql, "BATCH", 100_000)
    some, count = made({}), 400_000
    begins = AS_OF - HOUR + np.arange(count) // 100 * 100  # the same at the borders
    lasted = np.random.default_rng(4).integers(0, 5 * MINUTE, count)
    new = {
        "task_id": pa.array(np.arange(count)).cast(pa.string()),
        "create_time": pa.array(begins).cast(arrow_schema.ARROW["time"]),
        "last_update_time": pa.array(begins + lasted).cast(arrow_schema.ARROW["time"]),
        "team": pa.array(["red", "blue", None, "red"] * (count // 4)),
    }
    rows = some.arrow.take(pa.array(np.zeros(count, "int64")))
    rows = pa.table([new.get(name, rows[name]) for name in rows.column_names], rows.schema)
    whole = mltasks.workers(table.to_pandas(table.select(rows, some.context), some.context), by="team")
    pd.testing.assert_frame_equal(mltasks.workers(Dataset(duckdb.relation(rows), some.context), by="team"), whole)
    assert whole["peak_in_flight"].sum() > count / 20  # they overlap far beyond the borders
