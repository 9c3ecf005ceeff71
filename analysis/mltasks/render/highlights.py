"""What needs attention first, read off the reports' tables."""

from __future__ import annotations

import pandas as pd

from mltasks.render import cells
from mltasks.render.view import View

MOST = 5
CALM = "Nothing stands out: no group is failing at present, and no task is overdue."


def find_points(failures: View) -> list[str]:
    """Return sentences, the most pressing first.

    What makes the whole report doubtful, then groups in which nothing has succeeded, then groups that have failed
    since their last success.
    """
    frame, as_of_ms = failures.frame, failures.info.as_of_ms
    never = frame[(frame["failed"] > 0) & (frame["completed"] == 0)].sort_values(
        "failed", ascending=False, kind="stable"
    )
    now = frame[frame["failing_since"].notna() & (frame["completed"] > 0)].sort_values("failing_since", kind="stable")
    doubts = [cells.one_line(note) for note in failures.info.notes if "overdue" in note or "INCOMPLETE" in note]
    return [
        *doubts,
        *(f"{_name(failures, row)}: {_all(row['failed'])} failed" for _, row in never.iterrows()),
        *(
            f"{_name(failures, row)}: failing since {row['failing_since']:%Y-%m-%d %H:%M} UTC, "
            f"last success {cells.ago(row['last_success'], as_of_ms)}"
            for _, row in now.iterrows()
        ),
    ]


def cut(said: list[str], where: str) -> list[str]:
    """Return the first sentences, and how many there are beside them; one more is shown rather than counted."""
    rest = len(said) - MOST
    return said if rest <= 1 else [*said[:MOST], f"and {rest} {where}"]


def _all(finished: int) -> str:
    return {1: "the only finished task", 2: "both finished tasks"}.get(finished, f"all {finished} finished tasks")


def _name(view: View, row: pd.Series) -> str:
    return " / ".join(view.cell(key, row[key]) for key in view.keys) or "all tasks"
