"""When tasks were created, ended and in flight: one row per period, also where nothing was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import group_keys, operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, in_flight, outcome_codes, report_info, totals, worker_load, worker_notes
from mltasks.reports.cluster_windows import ClusterWindows, list_known_nodes, read_windows
from mltasks.reports.declarations.timeline import REPORT
from mltasks.reports.grouping import ALL, NODE, PERIOD, TaskGroups
from mltasks.reports.outcome_codes import KIND
from mltasks.reports.periods import Periods, choose_periods
from mltasks.reports.report_info import Mark
from mltasks.reports.time_window import clip_to_window
from mltasks.tasks.filter_options import RateOptions
from mltasks.tasks.metadata import to_iso
from mltasks.tasks.plural import count_of

COLUMNS = REPORT.column_names
ENDS = ("completed", "failed", "cancelled")
COUNTS = ("created", *ENDS, "open")
LOADS = ("mean_in_flight", "peak_in_flight")
MOST_MARKS = 10  # that the notes name


def timeline(
    tasks: Any,
    by: str | Sequence[str] = (PERIOD,),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Count by period what was created, what ended and what was in flight, one row per period, also without a task.

    A task counts as completed, failed or cancelled in the period in which it ended. In flight is meant as in `workers`;
    registrations of remote models and batch predictions are no load. The load of a node or cluster in a period that
    began after it was read is missing. `since` and `until` select the tasks in flight between them, and clip them.

    Parameters
    ----------
    by : str or list of str
        Further columns to group by, such as ``"worker_node"``; each group has a row in each period.
    every : str, optional
        The length of a period, such as ``"1h"`` or ``"1d"``; 400 periods at most. None: one with which there are 120
        at most.

    Examples
    --------
    >>> table = mltasks.timeline("demo", every="5min")
    >>> table["created"].tolist()
    [42, 252, 154, 81, 23]
    """
    chosen = grouping.periods(every, tz)
    keys = [name for name in group_keys.parse_by(by) if name != PERIOD]
    wanted = ["status_code", "task_id", "cluster"]
    prepared = prepare.prepare(
        tasks, keys, {**options, "tz": tz}, as_of=as_of, window="in_flight", taken=COLUMNS, wanted=wanted
    )
    report_info.reject_filters("timeline", prepared)
    counts = worker_notes.count(prepared)
    windows = read_windows(tasks, prepared, counts, None)
    periods = chosen or choose_periods(windows.window.low, windows.window.high, tz)
    windows = replace(windows, window=replace(windows.window, periods=periods))
    clipped = in_flight.clip_lifetimes(clip_to_window(_by_node_or_not(prepared), windows.window))
    table = worker_load.measure(_without_coordinators(clipped), windows, ENDS)
    table = table[[*clipped.keys, *ENDS, *LOADS]].merge(_count_created(clipped), on=list(clipped.keys), how="outer")
    table = _with_empty(table, clipped, prepared, windows)
    table = clipped.finish(report_info.whole_numbers(table, COUNTS))
    table["peak_in_flight"] = table["peak_in_flight"].astype("Int64")
    names = ["node_name"] if NODE in clipped.keys else []
    if names:
        table["node_name"] = table[NODE].map(prepared.context.names()).astype(operations.TEXT)
        by_name = [name for key in clipped.shown for name in (("node_name", NODE) if key == NODE else (key,))]
        table = table.sort_values(by_name, ignore_index=True)
    marks = _marks(prepared, windows)
    notes = [*_notes(prepared, counts, windows, periods, chosen is None), *_mark_notes(marks)]
    result = table[[*clipped.shown, *names, *COLUMNS]]
    return report_info.attach_info(
        result,
        "timeline",
        prepared,
        counts,
        notes,
        loaded=windows.loaded,
        tz=tz,
        keys=clipped.shown,
        marks=marks,
        step=periods.name,
    )


def _by_node_or_not(tasks: Tasks) -> TaskGroups:
    """Return the groups; by node without the tasks of which it is not known who worked on them."""
    grouped = grouping.group(tasks)
    if NODE not in grouped.keys:
        return grouped
    return grouped.with_frame(grouped.frame.filter(~worker_notes.is_coordinated(), ~nw.col(NODE).is_null()))


def _without_coordinators(clipped: TaskGroups) -> TaskGroups:
    """Return the same tasks; a registration of a remote model is no load."""
    frame = operations.when_then(clipped.frame, "load_ms", ~worker_notes.is_coordinated(), nw.col("spent"))
    return clipped.with_frame(frame.with_columns(spent=nw.col("load_ms")))


def _count_created(clipped: TaskGroups) -> pd.DataFrame:
    """Return of each group and period how many tasks were created in it, and how many of these are open."""
    frame = clipped.frame.filter(nw.col("start_ms") >= nw.col("low_ms"))
    is_open = outcome_codes.codes_by_name("open")
    table = grouping.count(frame.select(*clipped.keys, KIND), clipped.types, is_open, {})
    return table[[*clipped.keys, "tasks", "open"]].rename(columns={"tasks": "created"})


def _with_empty(table: pd.DataFrame, clipped: TaskGroups, tasks: Tasks, windows: ClusterWindows) -> pd.DataFrame:
    """Add each group in each period in which it has no task.

    A node or cluster that was read before a period began has no load there, rather than none.
    """
    others = [key for key in clipped.keys if key != PERIOD]
    spans = pd.DataFrame({PERIOD: pd.Series([*windows.window.spans], dtype=clipped.types[PERIOD])})
    nodes = {node: cluster for cluster, node in list_known_nodes(tasks)} if NODE in others else {}
    groups = table[others].drop_duplicates() if others else pd.DataFrame({ALL: [True]})
    if others == [NODE]:
        idle = pd.DataFrame({NODE: pd.Series([*nodes], dtype=clipped.types[NODE])})
        groups = pd.concat([groups, idle]).drop_duplicates()
    rows = groups.merge(spans, how="cross")[[*others, PERIOD]].astype(dict(clipped.types))
    table = rows.merge(table, on=list(clipped.keys), how="left")
    is_empty = table["created"].isna() & table["completed"].isna()
    table["mean_in_flight"] = table["mean_in_flight"].mask(is_empty, 0.0)
    table["peak_in_flight"] = table["peak_in_flight"].fillna(0.0)
    clusters = table[NODE].map(nodes) if NODE in others else table["cluster"] if "cluster" in others else None
    if clusters is None:
        return table
    begins = table[PERIOD].map({number: begin for number, (begin, _) in windows.window.spans.items()})
    unknown = [
        windows.is_unknown(cluster if isinstance(cluster, str) else None, int(begin))
        for cluster, begin in zip(clusters, begins, strict=True)
    ]
    return table.assign(**{name: table[name].mask(is_empty & pd.Series(unknown, index=table.index)) for name in LOADS})


def _marks(tasks: Tasks, windows: ClusterWindows) -> list[Mark]:
    """Return the starts of nodes in the window, in the order of time."""
    low, high = windows.window.low, windows.window.high
    passing = {*list_known_nodes(tasks)}
    starts = {
        (node.started_ms, node.name)
        for reading in tasks.context.readings
        for key, node in {**reading.former_nodes, **(reading.nodes or {})}.items()
        if node.started_ms is not None and low <= node.started_ms < high
        if (reading.cluster, key) in passing or key in reading.former_nodes
    }
    return [Mark(ms, f"{name} started") for ms, name in sorted(starts)]


def _mark_notes(marks: Sequence[Mark]) -> list[str]:
    rest = len(marks) - MOST_MARKS
    more = [f"and {rest} further starts of nodes"] if rest > 0 else []
    return [*(f"{mark.text} {to_iso(mark.ms)}" for mark in marks[:MOST_MARKS]), *more]


def _notes(
    tasks: Tasks, counts: totals.Totals, windows: ClusterWindows, periods: Periods, is_chosen_here: bool
) -> list[str]:
    notes = [f"a period is {periods.name}, by the time that the tasks cover; --every 1h (every) makes it another"]
    notes = notes if is_chosen_here and windows.window.spans else []
    if NODE in tasks.keys:
        notes += worker_notes.notes(tasks, counts, windows)
    else:
        notes += worker_notes.window_notes(windows)
        if remote := counts.counts["remote"]:
            notes.append(f"{remote:,} registered remote {'model is' if remote == 1 else 'models are'} in no load")
    last = max(windows.window.spans.values(), default=None)
    if last is not None and periods.starts([periods.number_at(last[1] - 1) + 1])[0].timestamp() * 1000 > last[1]:
        notes.append("the last period is not over")
    return [*notes, *totals.undated_note(counts), *_late_note(tasks, counts, windows.window.high)]


def _late_note(tasks: Tasks, counts: totals.Totals, high: int) -> list[str]:
    """Return the note on tasks that were created when the window had ended, as those written during the reading."""
    if counts.last_ms is None or counts.last_ms < high:
        return []
    late = totals.count_totals(replace(tasks, frame=tasks.frame.filter(nw.col("start_ms") >= high))).tasks
    return [f"{count_of(late)} created at {to_iso(high)} or later, when the window ends: in no period"]
