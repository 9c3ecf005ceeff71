from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.render.sort_and_top import make_view
from mltasks.reports import report_info
from mltasks.reports import unfinished as module
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Model, Node
from support import stored, unfinished_oracle
from support.generated import AS_OF, DAY, HOUR, MINUTE, Made, life, made
from support.unfinished_oracle import ORDER

SOURCES: list[Callable[[str], Any]] = [mltasks.load, mltasks.scan]
SECOND = 1000


def both(*tasks: dict[str, Any], info: ClusterInfo | None = None, **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    readings = (info or ClusterInfo(cluster="east", as_of_ms=AS_OF, timeout_assumed=False),)
    tasks_made = made(*tasks, readings=readings)
    expected = mltasks.unfinished(tasks_made.pandas(), **options)
    found = mltasks.unfinished(tasks_made.dataset(), **options)
    pd.testing.assert_frame_equal(found, expected)
    assert found.attrs == expected.attrs
    return expected


def one(task: dict[str, Any], info: ClusterInfo | None = None, *others: dict[str, Any]) -> dict[str, Any]:
    """Return the row of the first of some tasks, which alone is open."""
    (row,) = both(task, *others, info=info).to_dict("records")
    return {str(name): value for name, value in row.items()}


def told(**more: Any) -> ClusterInfo:
    """Return what a cluster told whose node n-1 was started two hours, n-2 ten minutes ago."""
    nodes = {"n-1": Node("alpha", started_ms=AS_OF - 2 * HOUR), "n-2": Node("beta", started_ms=AS_OF - 10 * MINUTE)}
    fields: dict[str, Any] = {"cluster": "east", "as_of_ms": AS_OF, "timeout_assumed": False, "nodes": nodes}
    return ClusterInfo(**fields | more)


def opened(age_ms: int, **fields: Any) -> dict[str, Any]:
    """Return an open task that was created so many ms ago."""
    return {**life(age_ms, age_ms), "state": "RUNNING", **fields}


@pytest.mark.parametrize("source", SOURCES)
def test_of_the_real_tasks_27_wait_and_6_are_open_and_none_is_known_to_be_lost(source: Callable[[str], Any]) -> None:
    table = mltasks.unfinished(source("demo"))
    assert table["verdict"].value_counts().to_dict() == {"waiting": 27, "open": 6}
    waiting, others = table[table["verdict"] == "waiting"], table[table["verdict"] == "open"]
    assert waiting["node_name"].value_counts().to_dict() == {"n2": 11, "n1": 10, "n3": 6}
    assert round(waiting["age_s"].max()) == 17 * 60 + 54
    assert others["longer_share"].tolist() == [1 / 60] * 6
    assert set(others["evidence"]) == {
        "created 22:12:43, longer than all 59 that completed",
        "created 22:12:44, longer than all 59 that completed",
    }
    assert table["task_id"].tolist() == sorted(table["task_id"])
    assert (
        "when the nodes of ml-fixture were started is not part of what was read: a task that was lost with its node "
        "and is not known to be so is called open or overdue"
    ) in report_info.read_info(table).notes


def test_groups_count_by_verdict_and_are_described_by_their_oldest_task() -> None:
    table = mltasks.unfinished(mltasks.load("demo"), by="worker_node")
    assert table[["node_name", "verdict", "tasks"]].values.tolist() == [
        ["n2", "waiting", 11],
        ["n2", "open", 3],
        ["n3", "waiting", 6],
        ["n3", "open", 3],
        ["n1", "waiting", 10],
    ]
    total = mltasks.unfinished(mltasks.load("demo"), by=[])
    assert total[["verdict", "tasks"]].values.tolist() == [["waiting", 27], ["open", 6]]
    columns = ["task_id", "age_s", "evidence"]
    oldest = mltasks.unfinished(mltasks.load("demo")).nlargest(1, "age_s")
    assert total.head(1)[columns].to_dict("records") == oldest[columns].to_dict("records")


@given(unfinished_oracle.tasks(), st.sampled_from(({}, {"task_type": "training"}, {"as_of": AS_OF + HOUR})))
@settings(max_examples=5, deadline=None)
def test_the_verdicts_are_those_of_a_loop_over_the_tasks(tasks: Made, options: dict[str, Any]) -> None:
    expected = unfinished_oracle.unfinished(tasks, options)
    table = mltasks.unfinished(tasks.pandas(), **options)
    pd.testing.assert_frame_equal(mltasks.unfinished(tasks.dataset(), **options), table)
    columns = ["verdict", "age_s", "longer_share"]
    rows = table.set_index("task_id")[columns].astype(object)
    assert rows.where(rows.notna(), None).to_dict("index") == expected
    counts = mltasks.unfinished(tasks.dataset(), by="verdict", **options)
    assert counts["verdict"].tolist() == [v for v in ORDER if v in table["verdict"].tolist()]
    assert counts["tasks"].tolist() == [(table["verdict"] == v).sum() for v in counts["verdict"]]


def test_a_training_is_lost_when_its_node_was_started_more_than_5_s_after_it() -> None:
    start = AS_OF - 10 * MINUTE
    lost = {**opened(10 * MINUTE + 5001), "worker_node": ["n-2"]}
    row = one(lost, told())
    assert (row["verdict"], row["node_name"], row["node_there"]) == ("lost", "beta", True)
    assert row["evidence"] == "beta started 01:50:00, task created 01:49:54"
    assert metadata.to_datetime(start).strftime("%H:%M:%S") == "01:50:00"
    assert row["remedy"] == (
        "start the task again: no node works on it any more, so that nothing will end it; "
        "its record stays: the server deletes none that is RUNNING"
    )
    assert one({**lost, "create_time": start - 5000}, told())["verdict"] == "open"
    assert one({**lost, "worker_node": ["n-1"]}, told())["verdict"] == "open"
    created = one({**lost, "state": "CREATED"}, told())
    assert created["remedy"].endswith("DELETE /_plugins/_ml/tasks/ID removes its record")


def test_a_task_of_a_cluster_that_was_read_on_another_day_has_its_date() -> None:
    readings = tuple(ClusterInfo(cluster=name, as_of_ms=AS_OF - age) for name, age in (("east", 0), ("west", 2 * DAY)))
    tasks = made(opened(2 * DAY + MINUTE, cluster="west"), opened(MINUTE), readings=readings)
    evidence = mltasks.unfinished(tasks.pandas()).set_index("task_id")["evidence"]
    assert evidence.to_dict() == {"task-0": "created 2025-03-05 01:59:00", "task-1": "created 01:59:00"}


def test_a_task_is_lost_when_its_node_is_not_in_the_cluster_and_somebody_asked_now() -> None:
    task = opened(MINUTE, worker_node=["n-9"], task_type="AGENT_EXECUTION", function_name="AGENT")
    row = one(task, told(former_nodes={"n-9": Node("omega")}))
    assert (row["verdict"], row["node_name"], row["node_there"]) == ("lost", "omega", False)
    assert row["evidence"] == "omega not in the cluster 02:00:00, task created 01:59:00"
    earlier = one(task, told(not_read=("the node names",)))
    assert (earlier["verdict"], earlier["node_there"]) == ("unbounded", None)


def test_a_deployment_is_lost_only_when_all_nodes_were_started_after_it() -> None:
    task = opened(9 * HOUR, task_type="DEPLOY_MODEL", function_name="REMOTE", worker_node=["n-2"])
    assert one(task, told())["evidence"] == (
        "all nodes started since 2025-03-07 00:00:00, task created 2025-03-06 17:00:00"
    )
    assert one({**task, **life(HOUR, HOUR)}, told())["verdict"] == "overdue"


def test_what_a_node_holds_is_running_and_its_turn_is_told_from_its_pool() -> None:
    info = told(held_tasks={"n-1": ("task-0", "task-1", "task-2")}, train_pool_size={"n-1": 2})
    table = both(*(opened(age * SECOND) for age in (30, 20, 10)), info=info)
    assert table["verdict"].tolist() == ["running"] * 3
    assert table["evidence"].tolist() == [
        "alpha held it 02:00:00",
        "alpha held it 02:00:00",
        "alpha held it 02:00:00, 2 created before it are open, 2 at once can train",
    ]


def test_what_a_task_makes_may_be_there_though_its_record_is_open() -> None:
    row = one(opened(DAY, model_id="m1"), told())
    assert (row["verdict"], row["evidence"]) == (
        "finished_unrecorded",
        "its record names model m1, as only one that has succeeded does",
    )
    model = Model(name="m", state="DEPLOYED", last_deployed_ms=AS_OF - MINUTE)
    deploy = opened(2 * MINUTE, task_type="DEPLOY_MODEL", model_id="m1")
    assert one(deploy, told(model_index={"m1": model}))["evidence"] == (
        "model DEPLOYED since 01:59:00, task created 01:58:00"
    )
    earlier = Model(name="m", state="DEPLOYED", last_deployed_ms=AS_OF - HOUR)
    assert one(deploy, told(model_index={"m1": earlier}))["verdict"] == "open"
    held = told(model_index={"m1": model}, held_tasks={"n-1": ("task-0",)})
    assert one(deploy, held)["verdict"] == "running"


def test_a_batch_prediction_waits_for_somebody_to_ask_its_provider() -> None:
    task = opened(HOUR, task_type="BATCH_PREDICTION", function_name="REMOTE")
    assert one(task)["evidence"] == "created 01:00:00, its provider was not asked since"
    asked = one({**task, "last_update_time": AS_OF - MINUTE})
    assert asked["evidence"] == "created 01:00:00, its provider was last asked 01:59:00"
    assert (asked["verdict"], asked["age_s"], asked["since_update_s"]) == ("waiting", 3600, 60)


def test_overdue_begins_60_s_after_the_time_out_of_the_cluster() -> None:
    late = told(timeout_s=30, nodes=None)
    assert one(opened(90 * SECOND), late)["verdict"] == "open"
    row = one(opened(90 * SECOND + 1), late)
    assert row["verdict"] == "overdue"
    assert row["evidence"] == "created 01:58:29, the time-out of 30 s was over 01:58:59"


def test_suspect_is_older_than_ten_times_the_p99_of_a_hundred_that_completed() -> None:
    kind = {"task_type": "AGENT_EXECUTION", "function_name": "AGENT"}
    done = [{**life(HOUR, HOUR - 400 * SECOND), **kind} for _ in range(100)]
    row = one(opened(4000 * SECOND + 1, **kind), None, *done)
    assert row["verdict"] == "suspect"
    assert row["evidence"] == "created 00:53:19, longer than all 100 that completed, 99 % of them within 400.0 s"
    assert one(opened(4000 * SECOND, **kind), None, *done)["verdict"] == "unbounded"
    assert one(opened(4000 * SECOND + 1, **kind), None, *done[:99])["verdict"] == "unbounded"


def test_a_share_counts_those_that_took_exactly_as_long() -> None:
    done = [life(HOUR, HOUR - n * SECOND) for n in (5, 10, 20)]
    row = one(opened(10 * SECOND), None, *done)
    assert row["longer_share"] == 3 / 4
    assert row["evidence"] == "created 01:59:50, 2 of 3 that completed took as long"


def test_a_file_and_a_store_say_the_same_of_two_clusters(tmp_path: Path) -> None:
    east, west = told(), told(cluster="west", as_of_ms=AS_OF - 5 * MINUTE, timeout_s=30)
    tasks = stored.of_stores(
        made(
            opened(11 * MINUTE, worker_node=["n-2"]),
            opened(11 * MINUTE, worker_node=["n-1"], cluster="west"),
            readings=(east, west),
        )
    )
    expected = mltasks.unfinished(tasks.pandas())
    assert expected["verdict"].tolist() == ["lost", "overdue"]
    pd.testing.assert_frame_equal(mltasks.unfinished(stored.dataset(tasks, tmp_path / "store")), expected)
    mltasks.write_parquet(tasks.pandas(), tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(mltasks.unfinished(mltasks.scan(tmp_path / "t.parquet")), expected)


def test_a_task_that_was_deleted_on_its_cluster_is_no_longer_stuck(tmp_path: Path) -> None:
    tasks = stored.of_stores(made(opened(HOUR), opened(HOUR), readings=(told(),)))
    gone = tasks.rows[0] | {"gone_time": AS_OF - MINUTE}
    dataset = stored.dataset(Made([gone, tasks.rows[1]], tasks.context), tmp_path)
    table = mltasks.unfinished(dataset)
    assert table["task_id"].tolist() == ["task-1"]
    assert "1 open task deleted on the cluster: without a row" in report_info.read_info(table).notes


def test_a_filter_that_hides_completed_tasks_is_said() -> None:
    table = mltasks.unfinished(mltasks.load("demo"), state="CREATED")
    assert table["longer_share"].isna().all()
    assert "longer_share compares with completed tasks, of which the filter state leaves some out" in (
        report_info.read_info(table).notes
    )


def test_people_read_it_in_the_order_of_the_verdicts_the_oldest_first() -> None:
    shown = make_view(mltasks.unfinished(mltasks.load("demo"))).frame
    assert shown["verdict"].tolist() == ["waiting"] * 27 + ["open"] * 6
    ages = shown["age_s"].tolist()
    assert ages[:27] == sorted(ages[:27], reverse=True)
    assert make_view(mltasks.unfinished(mltasks.load("demo")), "verdict:desc").frame["verdict"].iloc[0] == "open"


@pytest.mark.parametrize("by", [["task_id"], [], ["worker_node", "team"], "verdict"])
def test_no_task_gives_all_columns_and_no_row(by: Any) -> None:
    some = both(opened(HOUR, team="red"), by=by)
    assert len(some) == 1
    for nothing in (both(by=by), mltasks.unfinished(Dataset(made().dataset().frame, Context(source="x")), by=by)):
        assert len(nothing) == 0
        assert nothing.dtypes.equals(some.dtypes)


def test_more_open_tasks_than_get_a_sentence_are_an_error_and_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 32)
    with pytest.raises(UsageError, match="33 open tasks are more than 32; choose some with since or task_type"):
        mltasks.unfinished(mltasks.load("demo"))


def test_what_shows_several_reports_judges_what_can_be_lost_of_too_many_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 32)
    for tasks in (mltasks.load("demo"), mltasks.scan("demo")):
        table = module.judge_some(tasks)
        assert table["verdict"].tolist() == ["open"] * 6
        note = "33 open tasks are more than 32: 27 batch predictions, which wait until their provider is asked, "
        assert f"{note}are left out" in report_info.read_info(table).notes
    monkeypatch.setattr(module, "MOST", 5)
    for tasks in (mltasks.load("demo"), mltasks.scan("demo")):
        table = module.judge_some(tasks)
        assert table.empty
        assert report_info.read_info(table).notes[-1] == (
            "which tasks are lost, overdue or suspect cannot be told: 33 open tasks are more than 5; "
            "choose some with since or task_type"
        )
