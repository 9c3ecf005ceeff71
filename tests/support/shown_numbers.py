"""Which numbers a sentence has, and which the tables that a command shows."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import mltasks
from support.command import Command

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def numbers(text: str) -> set[str]:
    """Return the times (to the minute) and the numbers of a text."""
    times = {time.replace("T", " ") for time in TIME.findall(text)}
    return times | set(NUMBER.findall(TIME.sub("", text).replace(",", "")))


def shown_by(command: str, run: Command) -> set[str]:
    """Return the numbers of the table that a command line shows, of the total row of its source, and of its rows."""
    _, report, source, *rest = shlex.split(command)
    document = json.loads(run(report, source, *rest, "--format", "json").out)
    rows = [*document["rows"], *run("failures", source, "--by", "", "--format", "json").rows]
    cells = {n for row in rows for value in row.values() for n in numbers(str(value))}
    return cells | numbers(str(document["as_of"])) | _counts_of_rows(document["rows"])


def _counts_of_rows(rows: list[dict[str, Any]]) -> set[str]:
    """Return how many rows have the same verdict, in all and of one task type or error."""
    names = [("verdict",), ("verdict", "task_type"), ("verdict", "last_error")]
    keys = [[tuple(row.get(name) for name in group) for row in rows if "verdict" in row] for group in names]
    return {str(of_group.count(key)) for of_group in keys for key in of_group}


def unproven(source: str, run: Command) -> list[str]:
    """Return the sentences of highlights that have a number which their command does not show.

    A quoted error is one of the report `errors`, or the beginning of one; its numbers stand there.
    """
    tasks = mltasks.scan(source)
    errors = [" ".join(error.split()) for error in mltasks.errors(tasks)["error"].dropna()]
    result = []
    for row in mltasks.highlights(tasks).to_dict("records"):
        sentence, _, quoted = row["reason"].partition(" UTC: ")
        quoted = quoted.removesuffix("...")
        if quoted and not any(error.startswith(quoted) for error in errors):
            result.append(f"no error begins with {quoted!r}")
        if missing := numbers(sentence) - shown_by(row["command"], run):
            result.append(f"{row['reason']} | {row['command']}: {sorted(missing)}")
    return result
