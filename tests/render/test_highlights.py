from __future__ import annotations

from mltasks.render import highlights
from support.views import failures, times, view


def test_what_makes_the_report_doubtful_comes_first_then_what_never_succeeded_then_what_fails_now() -> None:
    frame = failures(["CALM", "LATE", "EARLY", "ONE", "TWO", "MANY"]).assign(
        completed=[5, 1, 1, 0, 0, 0],
        failed=[1, 1, 1, 1, 2, 17],
        last_success=times("2025-11-24 23:30", "2025-11-24 22:00", "2025-11-24 22:00", None, None, None),
        failing_since=times(None, "2025-11-24 23:10", "2025-11-24 23:05", *3 * ["2025-11-24"]),
    )
    notes = ["rates are over recorded tasks", "2 open tasks are overdue", "INCOMPLETE: a page is missing"]
    assert highlights.find_points(view(frame, ["task_type"], notes=notes)) == [
        "2 open tasks are overdue",
        "INCOMPLETE: a page is missing",
        "MANY: all 17 finished tasks failed",
        "TWO: both finished tasks failed",
        "ONE: the only finished task failed",
        "EARLY: failing since 2025-11-24 23:05 UTC, last success 2h00m ago",
        "LATE: failing since 2025-11-24 23:10 UTC, last success 2h00m ago",
    ]


def test_nothing_needs_attention_where_nothing_fails() -> None:
    frame = failures(["A"]).assign(failed=0, failing_since=times(None))
    assert highlights.find_points(view(frame, ["task_type"])) == []


def test_one_total_row_is_called_all_tasks() -> None:
    frame = failures(["A"]).drop(columns="task_type").assign(completed=0, failed=3)
    assert highlights.find_points(view(frame)) == ["all tasks: all 3 finished tasks failed"]


def test_what_does_not_fit_is_counted_and_one_more_is_shown() -> None:
    assert highlights.cut(list("abcdef"), "more") == list("abcdef")
    assert highlights.cut(list("abcdefgh"), "more") == [*"abcde", "and 3 more"]
