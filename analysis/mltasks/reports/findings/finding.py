"""One thing that needs attention: how many, why, since when, an example, and the command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mltasks.reports.declarations.highlights import KINDS as KINDS
from mltasks.tasks.filter_declarations import WORDS

NO_GROUP = "(missing)"
TIMES = ("since", "until")  # which `compare` has options of its own for
SHOWN = 90  # letters of an error in a sentence


@dataclass(frozen=True)
class Finding:
    """A row of the report `highlights`; `report` and `row` say which row of which report it is of."""

    kind: str
    subject: str
    reason: str  # a sentence without its subject; every number in it stands in the table that `command` shows
    command: str
    count: int | None = None
    since: Any = None
    example_task_id: str | None = None
    report: str | None = None
    row: str | None = None


@dataclass(frozen=True)
class Commands:
    """The source and the filters of a report, from which commands are written that show the same tasks."""

    source: str
    filters: Mapping[str, Any]

    def show(self, report: str, *options: str, **more: Any) -> str:
        """Return a command line: a report with options, and `more` filters in place of those of the same name."""
        taken = {name: value for name, value in more.items() if can_be_filter(value)}
        given = {name: value for name, value in self.filters.items() if report != "compare" or name not in TIMES}
        chosen = {**given, **taken}
        words = [word for name, value in chosen.items() for word in _option(name, value)]
        return " ".join(["mltasks", report, self._source(), *words, *options])

    def _source(self) -> str:
        places = self.source.split(", ")
        if not self.source or any(place.startswith(("a ", "an ")) for place in places) or self.source == "hits":
            return "SOURCE"  # a frame has no name
        return " ".join(map(shlex.quote, places))


def _option(name: str, value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    option = f"--{name.replace('_', '-')}"
    if name not in WORDS:
        return [f"{option} {values[0]}"]
    texts = [",".join(values)] if name != "error" and can_be_filter(values) else values
    return [f"{option} {shlex.quote(text)}" for text in texts]


def can_be_filter(value: Any) -> bool:
    """Tell whether the values can be given to an exact filter: a missing one, and one with a comma, cannot."""
    values = value if isinstance(value, list | tuple) else [value]
    return all(
        isinstance(text, str) and text.strip() and not {*text} & {*",\r\n\0"} and text[0] != "-" for text in values
    )


def row_text(values: Iterable[Any]) -> str:
    """Return the keys of a row as one text: how findings and pages name it."""
    return " / ".join(NO_GROUP if pd.isna(value) else str(value) for value in values)


def moment(time: Any) -> str:
    """Return a time to the minute, in UTC."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def because(error: Any) -> str:
    """Return an error to go behind a sentence; nothing where there is none."""
    if not isinstance(error, str) or not error.strip():
        return ""
    text = " ".join(error.split())
    return f": {text if len(text) <= SHOWN else f'{text[:SHOWN].rstrip()}...'}"
