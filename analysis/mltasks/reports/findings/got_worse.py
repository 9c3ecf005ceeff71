"""What got worse: the time that was asked for against the same time before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd

from mltasks.engines.prepare import Tasks
from mltasks.reports import compare_evidence, verdicts
from mltasks.reports.compare import compare
from mltasks.reports.declarations.compare import PREVIOUS
from mltasks.reports.example_tasks import AT, find_greatest
from mltasks.reports.findings import finding
from mltasks.reports.findings.finding import Commands, Finding
from mltasks.reports.history import WEEK_MS, History
from mltasks.tasks import duration_status, filter_options, outcomes, schema
from mltasks.tasks.metadata import to_iso

KEYS = ("task_type", "function_name")
UNKNOWN = "what fails more or is slower cannot be told"  # how a note begins where that is so


class Changes(NamedTuple):
    """What `compare` says of two sides, and the options that it was asked with."""

    table: pd.DataFrame
    sides: Mapping[str, Any]

    @property
    def begin_ms(self) -> int:
        """The beginning of the later side."""
        return int(self.sides.get("since", self.sides.get("split")))


def find_changes(
    tasks: Any, history: History, as_of: Any, options: Mapping[str, Any], by: str | Sequence[str] = KEYS
) -> Changes | None:
    """Return what has changed: the window against as long a time before it; None where that is not known.

    Without a window it is the last week against the one before, or the halves of a shorter history. None for one node,
    too: `compare` takes a node for something else.
    """
    window = history.window(filter_options.parse(options, history.as_of_ms))
    sides = _choose_sides(history, window.since_ms, window.until_ms)
    if sides is None or window.node:
        return None
    rest = {name: value for name, value in options.items() if name not in ("since", "until", "node", "tz")}
    table = compare(tasks, by, as_of=as_of, **{**rest, **sides})
    return Changes(table, sides) if table["tasks_before"].any() else None


def explain_unknown(history: History, options: Mapping[str, Any]) -> str:
    """Return the note that says why no changes can be told, where `find_changes` gives none."""
    if history.window(filter_options.parse(options, history.as_of_ms)).node:
        return f"{UNKNOWN} of one node: mltasks compare --node shows it beside the others"
    return f"{UNKNOWN}: no task of as long a time before is known"


def _choose_sides(history: History, since: int | None, until: int | None) -> dict[str, Any] | None:
    begin, as_of, last = history.begin_ms, history.as_of_ms, history.last_ms
    if begin is None or as_of is None or last is None:
        return None
    end = as_of if until is None else min(as_of, until)
    if since is None and end - begin < 2 * WEEK_MS:
        last = min(last, end)
        middle = (begin + last + 1) // 2
        return {"split": middle} if begin < middle < last else None
    since = end - WEEK_MS if since is None else since
    if since >= end or since - (end - since) < begin:
        return None
    return {"since": since, "until": end, "against": PREVIOUS}


def find_worse(tasks: Tasks, changes: Changes, failing: Collection[str | None], commands: Commands) -> list[Finding]:
    """Return the groups that are worse for sure, but for rates of groups that are `failing` as it is.

    `tasks` are those of the later side, or more.
    """
    table = changes.table
    of_rate = table["rate_verdict"] == verdicts.WORSE
    keys = table[list(KEYS)].apply(finding.row_text, axis="columns") if len(table) else pd.Series([], dtype=str)
    worse = table[(table["verdict"] == verdicts.WORSE) & ~(of_rate & keys.isin(list(failing)))]
    worse = worse.sort_values("tasks_after", ascending=False, kind="stable")
    frame = tasks.frame.filter(nw.col("start_ms") >= changes.begin_ms)
    frame = frame.with_columns(*(nw.col(name).cast(nw.String) for name in KEYS))
    failed = frame.filter(outcomes.has_outcome(schema.FAILED)).with_columns(nw.col("start_ms").alias(AT))
    slow = frame.filter(outcomes.has_outcome(*schema.COMPLETED) & duration_status.has_status("measured"))
    slow = slow.with_columns((nw.col("updated_ms") - nw.col("created_ms")).alias(AT))
    parts = []
    of_rate = worse["rate_verdict"] == verdicts.WORSE
    for part, rows in ((worse[of_rate], failed), (worse[~of_rate], slow)):
        if len(part):
            examples = find_greatest(rows, KEYS)
            parts.append(part.merge(examples[[*KEYS, "example_task_id"]], on=[*KEYS], how="left"))
    command = commands.show("compare", *_options(changes.sides))
    return [_describe(row, changes.begin_ms, command) for part in parts for row in part.to_dict("records")]


def _options(sides: Mapping[str, Any]) -> list[str]:
    return [f"--{name} {value if isinstance(value, str) else to_iso(value)}" for name, value in sides.items() if value]


def _describe(row: Mapping[Any, Any], begin: Any, command: str) -> Finding:
    of_rate = row["rate_verdict"] == verdicts.WORSE
    is_dated = of_rate and not pd.isna(row["changed"])
    since = row["changed"] if is_dated else pd.Timestamp(int(begin), unit="ms", tz="UTC")
    keys = finding.row_text(row[key] for key in KEYS)
    example = row["example_task_id"]
    return Finding(
        kind="worse",
        subject=keys,
        reason=f"{compare_evidence.name_change(row)} than before: {row['evidence']}",
        command=command,
        count=int(row["failed_after"] if of_rate else row["tasks_after"]),
        since=since,
        example_task_id=example if isinstance(example, str) else None,
        report="compare",
        row=keys,
    )
