from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mltasks.render import highlights
from support.views import failures, times, view


def made(names: list[str], **columns: Any) -> pd.DataFrame:
    return failures(names).assign(**{"failures_in_a_row": 0, "cancelled": 0} | columns)


def test_what_makes_the_report_doubtful_comes_first_then_what_never_succeeded_then_what_fails_now() -> None:
    frame = made(
        ["CALM", "LATE", "EARLY", "ONE", "TWO", "MANY"],
        completed=[50, 50, 50, 0, 0, 0],
        failed=[1, 2, 3, 1, 2, 17],
        failures_in_a_row=[0, 2, 3, 1, 2, 17],
        last_success=times("2025-11-24 23:30", "2025-11-24 22:00", "2025-11-24 22:00", None, None, None),
        failing_since=times(None, "2025-11-24 23:10", "2025-11-24 23:05", *3 * ["2025-11-24"]),
    )
    notes = ["rates are over recorded tasks", "2 open tasks overdue: open for longer", "INCOMPLETE: a page is missing"]
    assert highlights.find_points(view(frame, ["task_type"], notes=notes)) == [
        "2 open tasks overdue: open for longer",
        "INCOMPLETE: a page is missing",
        "MANY: all 17 finished tasks failed",
        "TWO: both finished tasks failed",
        "EARLY: 3 failed in a row since 2025-11-24 23:05 UTC, last success 2h00m ago",
        "LATE: 2 failed in a row since 2025-11-24 23:10 UTC, last success 2h00m ago",
    ]


def test_nothing_needs_attention_where_nothing_fails() -> None:
    frame = made(["A"], failed=0, failing_since=times(None))
    assert highlights.find_points(view(frame, ["task_type"])) == []


def test_a_group_that_fails_often_and_failed_last_is_not_failing() -> None:
    frame = made(["A", "B"], completed=60, failed=40, failures_in_a_row=[1, 0])
    assert [line for line in highlights.find_points(view(frame, ["task_type"])) if "in a row" in line] == []


def test_999_failures_and_then_one_success_are_not_calm() -> None:
    frame = made(["A", "B"], completed=[1, 1000], failed=[999, 0], failing_since=times(None, None))
    assert highlights.find_points(view(frame, ["task_type"])) == ["A: 100% of all failures (999)"]


def test_cancelled_tasks_are_finished_too() -> None:
    frame = made(["A"], completed=0, failed=2, cancelled=2)
    assert highlights.find_points(view(frame, ["task_type"])) == ["A: none succeeded: 2 of 4 finished tasks failed"]


def test_a_cluster_called_overdue_triggers_nothing() -> None:
    frame = made(["A"], failed=0, failing_since=times(None))
    notes = ["the node names of overdue-eu could not be read: the user may not ask for them"]
    assert highlights.find_points(view(frame, ["task_type"], notes=notes)) == []


def test_one_total_row_is_called_all_tasks() -> None:
    frame = made(["A"], completed=0, failed=3).drop(columns="task_type")
    assert highlights.find_points(view(frame)) == ["all tasks: all 3 finished tasks failed"]


@pytest.mark.parametrize(("said", "shown"), [("abcdef", [*"abcdef"]), ("abcdefgh", [*"abcde", "and 3 more"])])
def test_what_does_not_fit_is_counted_and_one_more_is_shown(said: str, shown: list[str]) -> None:
    assert highlights.cut(list(said), "more") == shown
