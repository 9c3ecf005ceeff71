"""What needs attention, in sentences, each with the place on the page that shows its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from mltasks.render import cells

MOST = 5
LONGEST = 120  # letters of a subject in a sentence
CALM = "Nothing found that needs attention."


class Point(NamedTuple):
    """One thing that needs attention: a sentence, one of its tasks, and the row of a report that it is of."""

    text: str
    example_task_id: str | None = None
    report: str | None = None
    row: str | None = None
    kind: str | None = None
    subject: str = ""
    reason: str = ""
    command: str = ""

    def sentence(self) -> str:
        """Return the sentence with the task."""
        return f"{self.text}; task {self.example_task_id}" if self.example_task_id else self.text


def find_points(highlights: pd.DataFrame | None) -> list[Point]:
    """Return the rows of the report `highlights` as points; none where it was not made."""
    if highlights is None:
        return []
    return [_make_point({str(name): value for name, value in row.items()}) for row in highlights.to_dict("records")]


def _make_point(row: Mapping[str, Any]) -> Point:
    texts = {
        name: None if cells.is_missing(row.get(name)) else cells.one_line(row[name])
        for name in ("example_task_id", "report", "row", "kind", "command")
    }
    subject, reason = cells.one_line(_shorten(row["subject"])), cells.one_line(row["reason"])
    command = texts.pop("command") or ""
    return Point(f"{subject}: {reason}", **texts, subject=subject, reason=reason, command=command)


def _shorten(subject: str) -> str:
    return subject if len(subject) <= LONGEST else f"{subject[:LONGEST].rstrip()}..."


def cut(points: list[Point], where: str) -> list[Point]:
    """Return the first points, and how many there are beside them; one more is shown rather than counted."""
    rest = len(points) - MOST
    return points if rest <= 1 else [*points[:MOST], Point(f"and {rest} {where}")]


def anchor(report: str, row: str) -> str:
    """Return the id of a row of a report's table on a page; nothing of the data is in it."""
    return f"{report}-{hashlib.sha1(row.encode('utf-8', 'replace'), usedforsecurity=False).hexdigest()[:12]}"
