"""How work spreads over the nodes: tasks, failures, and the load of tasks in flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, in_flight, outcome_codes, report_info, totals
from mltasks.reports.declarations.workers import REPORT
from mltasks.reports.grouping import NODE, PERIOD, Grouped
from mltasks.reports.time_window import ReportWindow, clip_to_window
from mltasks.tasks import derived, schema
from mltasks.tasks.filters import RateOptions

COLUMNS = REPORT.column_names
COUNTS = ("tasks", "completed", "failed")


def workers(
    tasks: Any,
    by: str | Sequence[str] = (NODE,),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Return the load of the worker nodes, one row per node; a known node without a task is a row too.

    Columns: the keys; node_name; tasks, completed, failed, failure_rate with its Wilson 95 % interval; task_s, the
    sum of the tasks' time in flight [s]; task_share, the part of all rows' task_s; active_s, the time with at
    least one task in flight [s]; mean_in_flight and peak_in_flight [tasks].

    A task is in flight on each of its nodes from create_time to its end (open: `as_of`); the record cannot tell
    queued from running. No load: overdue tasks, batch predictions (they run at their provider), clock skew.
    Registrations of remote models list only the coordinating node and are in no row. A task with several nodes
    counts once on each; a deployment failed on the nodes that its error names.

    One window for all nodes: [since or the first create_time, until or `as_of`); it selects the tasks in flight in
    it and clips them. `every`, `tz`: one row per period, each being such a window of its own (so that a task counts in
    each period that it overlaps, and task_share is of that period); 400 periods at most. Raises UsageError as
    `failures` does.
    """
    periods = grouping.periods(every, tz)
    prepared = prepare.prepare(
        tasks, by, dict(options), as_of=as_of, window="in_flight", taken=COLUMNS, wanted=["status_code"]
    )
    report_info.reject_filters("workers", prepared)
    counts = _census(prepared)
    window = ReportWindow(*_window(prepared, counts), periods)
    grouped = in_flight.clip_lifetimes(clip_to_window(_with_workers(grouping.group(prepared)), window))
    found = in_flight.measure_concurrency(grouped, outcome_codes.codes_by_name(*COUNTS[1:]))
    found = _with_idle(found, grouped, prepared, window)
    found["mean_in_flight"] = found["task_s"] / window.seconds(found)
    found["task_share"] = found["task_s"] / _all(found)
    found = grouped.finish(found)
    if NODE in grouped.keys:
        found["node_name"] = found[NODE].map(prepared.context.names()).astype(operations.TEXT)
        by_name = [name for key in grouped.shown for name in (("node_name", NODE) if key == NODE else (key,))]
        found = found.sort_values(by_name, ignore_index=True)
    found = report_info.with_rates(report_info.whole_numbers(found, (*COUNTS, "peak_in_flight")))
    found = found[[*grouped.shown, *(c for c in COLUMNS if c in found)]]
    notes = [*report_info.RATE_NOTES, *_notes(prepared, counts), *(totals.undated_note(counts) if periods else [])]
    return report_info.attach_info(found, "workers", prepared, counts, notes, tz=tz, keys=grouped.shown)


def _census(tasks: Tasks) -> totals.Totals:
    frame = tasks.frame.with_columns(remote=_coordinated(), nowhere=_nowhere(tasks))
    return totals.count_totals(
        replace(tasks, frame=frame), values={name: (name, "sum") for name in ("remote", "nowhere")}
    )


def _window(tasks: Tasks, counts: totals.Totals) -> tuple[int, int]:
    since, until, as_of = tasks.filters.since_ms, tasks.filters.until_ms, tasks.context.as_of_ms or 0
    low = since if since is not None else counts.first_ms
    return as_of if low is None else low, as_of if until is None else min(until, as_of)


def _with_workers(grouped: Grouped) -> Grouped:
    """Return the tasks of which it is known who worked on them."""
    frame = grouped.frame.filter(~_coordinated())
    return grouped.within(frame.filter(~nw.col(NODE).is_null()) if NODE in grouped.keys else frame)


def _coordinated() -> nw.Expr:
    """Tell which tasks list a node that only coordinated; a missing function_name is none of a remote model."""
    return derived.is_one_of("task_type", schema.REGISTRATIONS) & derived.is_one_of("function_name", ["REMOTE"])


def _nowhere(tasks: Tasks) -> nw.Expr:
    """Tell which tasks name no node."""
    nowhere = nw.col("nodes_text").is_null() & ~_coordinated()
    return nowhere & (nw.col("failed_nodes").list.len() == 0) if NODE in tasks.keys else nowhere


def _with_idle(found: pd.DataFrame, grouped: Grouped, tasks: Tasks, window: ReportWindow) -> pd.DataFrame:
    """Add what has no task: each known node, where nodes are the only key, or the total, in each period."""
    groups: dict[str, Sequence[Any]] = {key: (True,) for key in grouped.keys if key == grouping.ALL}
    if NODE in tasks.keys:
        groups[NODE] = _known_nodes(tasks)
    if window.periods is not None:
        groups[PERIOD] = tuple(window.spans)
    if set(groups) == set(grouped.keys):
        rows = pd.DataFrame(product(*(groups[key] for key in grouped.keys)), columns=list(grouped.keys))
        found = found.merge(rows.astype(dict(grouped.types)), on=list(grouped.keys), how="outer")
    return found.fillna({"task_s": 0.0, "active_s": 0.0})


def _known_nodes(tasks: Tasks) -> list[str]:
    """Return the nodes of the clusters that the filters let pass."""
    words, clusters = tasks.filters.node, tasks.filters.cluster
    nodes = {
        node: known.name
        for reading in tasks.context.readings
        if not clusters or (reading.cluster or "").lower() in clusters
        for node, known in (reading.nodes or {}).items()
    }
    return [n for n, name in nodes.items() if not words or any(w in n.lower() or w in name.lower() for w in words)]


def _all(found: pd.DataFrame) -> pd.Series[float]:
    """Return the task_s of all rows, or of all rows of the period; missing where it is zero."""
    spent = found["task_s"]
    every = found[PERIOD] if PERIOD in found else pd.Series(0, index=found.index)
    total: pd.Series[float] = spent.groupby(every).transform("sum")
    return total.where(total > 0)


def _notes(tasks: Tasks, counts: totals.Totals) -> list[str]:
    by_node, remote, nowhere = NODE in tasks.keys, counts.counts["remote"], counts.counts["nowhere"]
    found = []
    if by_node:
        found.append("a task with several nodes counts once on each of them")
    if remote:
        who, they = (
            ("registration of a remote model", "it names")
            if remote == 1
            else ("registrations of remote models", "they name")
        )
        found.append(f"{remote} {who} left out: {they} only the coordinating node")
    if by_node and nowhere:
        found.append(f"{nowhere} {'task left out: it names' if nowhere == 1 else 'tasks left out: they name'} no node")
    return found
