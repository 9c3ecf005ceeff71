"""What needs attention first, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltasks.render import cells
from mltasks.render.view import View
from mltasks.reports import highlights

MOST = 5
CALM = "Nothing stands out: no group is failing at present, and no task is overdue."


def find_points(failures: View) -> list[str]:
    """Return sentences, the most pressing first: doubts about the whole report, then groups."""
    doubts = [cells.one_line(note) for note in highlights.find_doubts(failures.info.notes)]
    rows = highlights.find_groups(failures.frame).to_dict("records")
    return [*doubts, *(f"{_name(failures, row)}: {_sentence(failures, row)}" for row in rows)]


def cut(said: list[str], where: str) -> list[str]:
    """Return the first sentences, and how many there are beside them; one more is shown rather than counted."""
    rest = len(said) - MOST
    return said if rest <= 1 else [*said[:MOST], f"and {rest} {where}"]


def _sentence(view: View, row: Mapping[Any, Any]) -> str:
    if row["kind"] == highlights.NEVER:
        return f"{_all(int(row['failed']), int(row['cancelled']))} failed"
    if row["kind"] == highlights.MOST:
        return f"{cells.percent(row['share'])} of all failures ({int(row['failed'])})"
    run = int(row["failures_in_a_row"])
    return (
        f"{run} failed in a row since {row['failing_since']:%Y-%m-%d %H:%M} UTC, "
        f"last success {cells.ago(row['last_success'], view.info.ago_from_ms)}"
    )


def _all(failed: int, cancelled: int) -> str:
    """Return how many failed, in words that are true where others were cancelled: these are finished, too."""
    if cancelled:
        return f"none succeeded: {failed} of {failed + cancelled} finished tasks"
    return {1: "the only finished task", 2: "both finished tasks"}.get(failed, f"all {failed} finished tasks")


def _name(view: View, row: Mapping[Any, Any]) -> str:
    return " / ".join(view.cell(key, row[key]) for key in view.keys) or "all tasks"
