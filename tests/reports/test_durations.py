from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from support.generated import AS_OF, HOUR, made
from support.slow_reports import as_rows

COUNTS = ["tasks", "completed", "failed", "cancelled", "open", "measured", "unmeasured"]
START = AS_OF - HOUR


def lasting(ms: int, state: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    return {"create_time": START, "last_update_time": START + ms, "state": state, **fields}


SOME = made(
    lasting(1000),
    lasting(3000, "COMPLETED_WITH_ERROR"),
    lasting(-1),
    lasting(150, "FAILED"),
    lasting(600_000, "FAILED", error="timeout after 600 seconds"),
    lasting(9000, "CANCELLED"),
    lasting(5000, "RUNNING"),
    lasting(5000, "MOULTING"),
    lasting(700, task_type="BATCH_PREDICTION"),
    lasting(700, create_time=0),
).pandas()


@pytest.mark.parametrize(
    ("outcome", "counts", "mean_s", "max_s"),
    [
        ("completed", [10, 5, 2, 1, 2, 2, 3], 2.0, 3.0),
        ("Succeeded", [10, 5, 2, 1, 2, 1, 3], 1.0, 1.0),
        ("failed", [10, 5, 2, 1, 2, 1, 1], 0.15, 0.15),
        (["cancelled", "partial"], [10, 5, 2, 1, 2, 2, 0], 6.0, 9.0),
        ("ALL", [10, 5, 2, 1, 2, 4, 4], (1 + 3 + 0.15 + 9) / 4, 9.0),
        (None, [10, 5, 2, 1, 2, 2, 3], 2.0, 3.0),
    ],
)
def test_outcome_says_whose_durations_and_leaves_the_counts_alone(
    outcome: Any, counts: list[int], mean_s: float, max_s: float
) -> None:
    (row,) = mltasks.durations(SOME, by=[], outcome=outcome).to_dict("records")
    assert [row[name] for name in COUNTS] == counts
    assert (row["mean_s"], row["max_s"]) == pytest.approx((mean_s, max_s))


def test_what_was_not_measured_is_named_in_the_notes() -> None:
    notes = report_info.read_info(mltasks.durations(SOME)).notes
    assert "not measured though finished: 1 polled, 1 clock_skew, 1 implausible" in notes
    notes = report_info.read_info(mltasks.durations(SOME, outcome="failed")).notes
    assert "not measured though finished: 1 cut_off" in notes
    assert "durations of tasks with outcome failed" in notes


@pytest.mark.parametrize("outcome", ["open", ["failed", "Open"]])
def test_an_open_task_has_no_duration(outcome: Any) -> None:
    with pytest.raises(UsageError, match="an open task has no duration yet"):
        mltasks.durations(SOME, outcome=outcome)


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no outcome 'slow'"):
        mltasks.durations(SOME, outcome="slow")


def test_percentiles_are_linear_between_ranks() -> None:
    (row,) = mltasks.durations(made(*(lasting(1000 * n) for n in range(102))).pandas(), by=[]).to_dict("records")
    names = ["p50_s", "p90_s", "p95_s", "p99_s", "max_s"]
    assert [row[name] for name in names] == pytest.approx([50.5, 90.9, 95.95, 99.99, 101.0])


def test_a_deployment_counts_on_each_node_with_what_became_of_it_there() -> None:
    deploy = {"task_type": "DEPLOY_MODEL", "worker_node": ["n-1", "n-2"]}
    tasks = made(
        lasting(4000, "COMPLETED_WITH_ERROR", **deploy, error='{"n-2":"oom"}'),
        lasting(1000, "FAILED", **deploy, error="no such model"),
        lasting(2000, worker_node=[]),
    )
    found = mltasks.durations(tasks.pandas(), by="worker_node")
    assert as_rows(found[["worker_node", "tasks", "completed", "failed", "max_s"]], ["worker_node"]) == {
        ("n-1",): {"tasks": 2, "completed": 1, "failed": 1, "max_s": 4.0},
        ("n-2",): {"tasks": 2, "completed": 0, "failed": 2, "max_s": None},
        (None,): {"tasks": 1, "completed": 1, "failed": 0, "max_s": 2.0},
    }


@pytest.mark.parametrize("by", [(), "task_type", "function_name,state", ["model_id"], "worker_node", "duration_status"])
def test_the_counts_of_every_real_row_add_up(by: Any) -> None:
    found = mltasks.durations(mltasks.scan("demo"), by=by)
    pd.testing.assert_series_equal(
        found["tasks"], found[["completed", "failed", "cancelled", "open"]].sum(axis=1), check_names=False
    )
    pd.testing.assert_series_equal(found["completed"], found[["measured", "unmeasured"]].sum(axis=1), check_names=False)


def test_the_real_tasks_cut_off_are_named_when_failures_are_measured() -> None:
    found = mltasks.durations(mltasks.load("demo"), by=[], outcome="failed")
    assert found[["failed", "measured", "unmeasured"]].to_numpy().tolist() == [[156, 151, 5]]
    assert "not measured though finished: 5 cut_off" in report_info.read_info(found).notes
