from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from support.generated import AS_OF, DAY, HOUR, made

START = AS_OF - HOUR


def at(minute: int, state: str, lasted: int = 1000, **fields: Any) -> dict[str, Any]:
    created = START + minute * 60_000
    return {"create_time": created, "last_update_time": created + lasted, "state": state, **fields}


def times(found: pd.DataFrame) -> list[Any]:
    ms = [found[name].astype("int64").where(found[name].notna()) for name in ("last_success", "failing_since")]
    return [None if pd.isna(one[0]) else (int(one[0]) - START) / 60_000 for one in ms]


MINUTE = 60_000


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([], [None, None]),
        ([at(0, "COMPLETED", MINUTE)], [1, None]),
        ([at(0, "FAILED"), at(2, "FAILED")], [None, 0]),
        ([at(0, "COMPLETED", MINUTE), at(2, "FAILED"), at(3, "FAILED")], [1, 2]),
        ([at(0, "FAILED"), at(1, "COMPLETED_WITH_ERROR", MINUTE)], [2, None]),
        ([at(0, "COMPLETED", 5 * MINUTE), at(2, "FAILED"), at(6, "FAILED")], [5, 2]),
        ([at(0, "COMPLETED", MINUTE), at(0, "FAILED")], [1, None]),
        ([at(0, "COMPLETED", MINUTE), at(2, "RUNNING"), at(3, "CANCELLED")], [1, None]),
        ([at(0, "COMPLETED", MINUTE), at(2, "EXPIRED"), at(3, "FAILED")], [1, 2]),
        ([at(0, "COMPLETED", MINUTE), at(2, "FAILED", create_time=0)], [1, None]),
        ([at(0, "COMPLETED", MINUTE), at(1, "COMPLETED", 30 * DAY), at(2, "FAILED")], [60, 2]),
        ([at(0, "COMPLETED", MINUTE), {"create_time": START, "last_update_time": None}], [1, None]),
    ],
)
def test_since_when_a_group_fails(tasks: list[dict[str, Any]], expected: list[float | None]) -> None:
    for source in (made(*tasks).pandas(), made(*tasks).dataset()):
        assert times(mltasks.failures(source, by=[])) == expected


def test_the_rate_is_over_completed_and_failed_and_partial_is_a_completion() -> None:
    states = ["COMPLETED"] * 2 + ["COMPLETED_WITH_ERROR", "FAILED", "CANCELLED", "RUNNING", "MOULTING"]
    (row,) = mltasks.failures(made(*(at(0, state) for state in states)).pandas(), by=[]).to_dict("records")
    names = ("tasks", "completed", "partial", "failed", "cancelled", "open", "failure_rate")
    assert [row[name] for name in names] == [7, 3, 1, 1, 1, 2, 0.25]


@pytest.mark.parametrize("report", [mltasks.failures, mltasks.workers])
@pytest.mark.parametrize("source", ["load", "scan", "report"])
@pytest.mark.parametrize(
    "options", [{"state": "FAILED"}, {"outcome": "failed"}, {"not_state": "RUNNING"}, {"not_outcome": ["open"]}]
)
def test_filters_that_would_change_a_rate_are_refused_wherever_they_were_given(
    report: Any, source: str, options: dict[str, Any]
) -> None:
    if source == "report":
        tasks: Any = mltasks.load("demo")
    else:
        tasks, options = getattr(mltasks, source)("demo", **options), {}
    with pytest.raises(UsageError, match=r"the filter (not_)?(state|outcome): it would change the failure rate"):
        report(tasks, **options)


def test_tasks_without_a_creation_are_in_no_period_and_the_notes_say_so() -> None:
    tasks = made(at(0, "COMPLETED"), at(0, "FAILED", create_time=None), at(0, "FAILED", create_time=0)).pandas()
    found = mltasks.failures(tasks, by=[], every="1d")
    assert found["tasks"].tolist() == [1]
    assert "2 tasks without a plausible create_time: in no period" in report_info.read_info(found).notes
    assert not [note for note in report_info.read_info(mltasks.failures(tasks)).notes if "period" in note]


@pytest.mark.parametrize("by", ["function_name", "task_type,input_type", [], "reason", "is_async", "worker_node"])
def test_the_counts_of_every_real_row_add_up(by: Any) -> None:
    found = mltasks.failures(mltasks.load("demo"), by=by)
    total = found[["completed", "failed", "cancelled", "open"]].sum(axis=1)
    assert found["tasks"].tolist() == total.tolist()
    assert (found["partial"] <= found["completed"]).all()


def test_failed_agents_are_grouped_by_their_reason() -> None:
    found = mltasks.failures(mltasks.scan("demo"), by="reason", task_type="AGENT_EXECUTION")
    failed = found[found["failed"] > 0]
    assert failed["failed"].sum() == 9
    assert failed["reason"].notna().all()


def test_seven_failures_of_five_partial_deployments_are_on_the_nodes_that_their_errors_name() -> None:
    tasks = mltasks.load("demo", state="COMPLETED_WITH_ERROR")
    assert (len(tasks), set(tasks["task_type"])) == (5, {"DEPLOY_MODEL"})
    found = mltasks.durations(tasks, by="worker_node").set_index("worker_node")
    assert found["failed"].sum() == 7
    named = tasks["failed_nodes"].str.split(",").explode().value_counts()
    assert found["failed"][found["failed"] > 0].to_dict() == named.to_dict()


@pytest.mark.parametrize("as_of", [None, "2027-11-24", "2126-01-01"])
def test_no_real_batch_job_and_no_agent_is_ever_overdue(as_of: str | None) -> None:
    for task_type, tasks in (("BATCH_PREDICTION", 27), ("AGENT_EXECUTION", 29)):
        found = mltasks.failures(mltasks.load("demo"), task_type=task_type, as_of=as_of)
        assert found["tasks"].sum() == tasks
        assert not [note for note in report_info.read_info(found).notes if "overdue" in note]
