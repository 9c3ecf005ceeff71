"""The numbers that a page begins with, each with what it was in the time before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.reports import grouping, outcome_codes, report_info, totals
from mltasks.reports.durations import FEWEST
from mltasks.reports.findings import finding
from mltasks.reports.findings.got_worse import Changes
from mltasks.reports.grouping import ALL, NODE
from mltasks.reports.unfinished import DOUBTS, judge_some
from mltasks.tasks import derived, duration_status, outcomes, schema
from mltasks.tasks.metadata import to_datetime

COUNTS = outcome_codes.codes_by_name("completed", "failed", "open")
COLUMNS = ("measure", "value", "part_of", "before")
RANK = 0.95
UNKNOWN = math.nan


class Numbers(NamedTuple):
    """The numbers of one window; a percentile is missing where too few tasks were measured."""

    tasks: float
    failed: float
    finished: float
    open: float
    lost: float
    measured: float
    p95_s: float
    nodes: float


def measure_headline(
    tasks: Any, tables: Mapping[str, pd.DataFrame], changes: Changes | None, as_of: Any, options: Mapping[str, Any]
) -> tuple[pd.DataFrame, str]:
    """Return one row per measure: its value, the whole it is a part of, what it was before; and what before means.

    Before is as long a time before `since`; without `since`, or where that time is not known, it is missing. Open and
    lost tasks of the time before are those created in it that are open now.
    """
    now = _measure(tasks, tables["unfinished"], as_of, options)
    node_count = len(tables["workers"]) if NODE in tables["workers"] else UNKNOWN
    before, note = (
        None,
        "no change of these numbers is shown: choose a beginning, such as --since 7d, to compare with the time before",
    )
    if options.get("since") is not None:
        note = "no change of these numbers is shown: no task of as long a time before is known"
    if options.get("since") is not None and changes is not None:
        low, high = 2 * changes.begin_ms - int(changes.sides["until"]), changes.begin_ms
        window = {**options, "since": low, "until": high}
        before = _measure(tasks, judge_some(tasks, as_of=as_of, **window), as_of, window)
        note = f"before: created from {_moment(low)} to {_moment(high)}, as long a time; open and lost as of now"
    if doubt := _find_doubt(tables["unfinished"]):
        note = f"{note}; {'lost is not known' if math.isnan(now.lost) else 'more may be lost'}: {doubt}"
    wholes = {"failed": now.finished, "lost": now.open, "p95_s": now.measured, "nodes": node_count}
    rows = [
        (name, getattr(now, name), wholes.get(name, UNKNOWN), UNKNOWN if before is None else getattr(before, name))
        for name in ("tasks", "failed", "open", "lost", "p95_s", "nodes")
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[1:], "float64"))
    return table.astype({"measure": operations.TEXT}), note


def _measure(tasks: Any, unfinished_tasks: pd.DataFrame, as_of: Any, options: Mapping[str, Any]) -> Numbers:
    prepared = prepare.prepare(tasks, [], dict(options), as_of=as_of, taken=(), wanted=["status_code"])
    covered = totals.count_totals(prepared, COUNTS)
    frame = prepared.frame.filter(outcomes.has_outcome(*schema.COMPLETED) & duration_status.has_status("measured"))
    frame = frame.select(derived.seconds().alias("seconds"), nw.lit(value=True).alias(ALL))
    rows = operations.aggregate(
        frame, {ALL: pd.BooleanDtype()}, {"measured": ("seconds", "count")}, {"p95_s": ("seconds", RANK)}
    )
    measured = float(rows["measured"].sum())
    return Numbers(
        tasks=covered.tasks,
        failed=covered.counts["failed"],
        finished=covered.counts["completed"] + covered.counts["failed"],
        open=covered.counts["open"],
        lost=_count_lost(unfinished_tasks),
        measured=measured,
        p95_s=float(rows["p95_s"].iloc[0]) if measured >= FEWEST[RANK] else UNKNOWN,
        nodes=_count_nodes(tasks, as_of, options),
    )


def _count_lost(unfinished_tasks: pd.DataFrame) -> float:
    """Return how many are lost; missing where none is and one may be: there were too many to judge, or no proofs."""
    lost = float((unfinished_tasks["verdict"] == "lost").sum())
    return lost if lost or _find_doubt(unfinished_tasks) is None else UNKNOWN


def _find_doubt(unfinished_tasks: pd.DataFrame) -> str | None:
    """Return the note that says why a task may be lost that is not called so."""
    notes = report_info.read_info(unfinished_tasks).notes
    return next((note for note in notes if note.startswith(DOUBTS)), None)


def _count_nodes(tasks: Any, as_of: Any, options: Mapping[str, Any]) -> int:
    """Return how many nodes have tasks."""
    keys = ["cluster", NODE] if prepare.open_tasks(tasks).context.has_shared_nodes() else [NODE]
    grouped = grouping.group(prepare.prepare(tasks, keys, dict(options), as_of=as_of, taken=()))
    rows = operations.aggregate(grouped.frame, grouped.types, {"tasks": ("", "len")})
    return int(rows[NODE].notna().sum())


def _moment(ms: int) -> str:
    return finding.moment(to_datetime(ms))
