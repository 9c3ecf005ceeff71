"""What needs attention first, read off the reports' tables."""

from __future__ import annotations

import pandas as pd

from mltasks.context import moment
from mltasks.present import text
from mltasks.present.view import View

MOST = 5


def points(failures: View) -> list[str]:
    """Return sentences, the most pressing first: groups that have only failed, groups failing at present."""
    frame = failures.frame
    never = frame[(frame["failed"] > 0) & (frame["completed"] == 0)].sort_values("failed", ascending=False)
    now = frame[frame["failing_since"].notna() & (frame["completed"] > 0)].sort_values("failing_since")
    said = [f"{_name(failures, row)}: {_all(row['failed'])} failed" for _, row in never.iterrows()]
    said += [
        f"{_name(failures, row)}: failing since {row['failing_since']:%Y-%m-%d %H:%M} UTC, "
        f"last success {text.ago(row['last_success'], failures.info.as_of_ms)}"
        for _, row in now.iterrows()
    ]
    said = [note for note in failures.info.notes if "overdue" in note or "INCOMPLETE" in note] + said
    rest = len(said) - MOST
    return [*said[:MOST], f"and {rest} more in the tables"] if rest > 0 else said


def _all(finished: int) -> str:
    return "the only finished task" if finished == 1 else f"all {finished} finished tasks"


def _name(view: View, row: pd.Series) -> str:
    return " / ".join(text.key(key, row[key], view.info.as_of_ms) for key in view.keys)


def as_of(view: View) -> str:
    """Return the time that the page is true for."""
    ms = view.info.as_of_ms
    return "unknown" if ms is None else f"{moment(ms):%Y-%m-%d %H:%M} UTC"
