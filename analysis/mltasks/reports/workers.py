"""How work spreads over the nodes: tasks, failures, and the load of tasks in flight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import group_keys, prepare, reshape
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, in_flight, rate_doubts, report_info, totals, worker_load, worker_notes
from mltasks.reports.cluster_windows import ClusterWindows, list_known_nodes, read_windows
from mltasks.reports.declarations.workers import REPORT
from mltasks.reports.grouping import NODE, PERIOD, TaskGroups
from mltasks.reports.time_window import clip_to_window
from mltasks.tasks.filter_options import RateOptions

COLUMNS = REPORT.column_names
CLUSTER = "cluster"
COUNTS = ("tasks", "completed", "failed", "open", "overdue")


def workers(
    tasks: Any,
    by: str | Sequence[str] = (NODE,),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Measure the load of the worker nodes, one row per node; a known node without a task is a row too.

    A task is in flight on each of its nodes from create_time to its end (open: `as_of`; overdue: create_time + the
    time-out); the record cannot tell queued from running. No load: batch predictions (they run at their provider) and
    clock skew. Registrations of remote models list only the coordinating node and are in no row. A task with several
    nodes counts once on each; a deployment failed on the nodes that its error names.

    `since` and `until` select the tasks in flight between them, and clip them: the window of a cluster is [since or its
    first create_time, until or its `as_of`). Filters that would change the rate (state, outcome, error) are refused.

    Parameters
    ----------
    every : str, optional
        One row per period, such as ``"1d"``; 400 periods at most. A task counts in each period in which it was in
        flight, and as completed or failed in the one in which it ended.

    Examples
    --------
    >>> table = mltasks.workers("demo")
    >>> table[["node_name", "tasks", "failed"]].values.tolist()
    [['n1', 242, 86], ['n2', 243, 76], ['n3', 238, 71]]
    """
    periods = grouping.periods(every, tz)
    prepared, shared = _prepare(tasks, by, {**options, "tz": tz}, as_of)
    report_info.reject_filters("workers", prepared)
    counts = worker_notes.count(prepared)
    windows = read_windows(tasks, prepared, counts, periods)
    clipped = in_flight.clip_lifetimes(clip_to_window(_with_workers(grouping.group(prepared)), windows.window))
    table = worker_load.measure(clipped, windows, COUNTS[1:])
    table = _with_idle(table, clipped, prepared, windows)
    table["task_share"] = table["task_s"] / _sum_of_all(table)
    table = clipped.finish(table)
    if NODE in clipped.keys:
        table["node_name"] = reshape.name_nodes(table, prepared.context)
        by_name = [name for key in clipped.shown for name in (("node_name", NODE) if key == NODE else (key,))]
        table = table.sort_values(by_name, ignore_index=True)
    table = report_info.with_rates(report_info.whole_numbers(table, (*COUNTS, "nameless")))
    table["peak_in_flight"] = table["peak_in_flight"].astype("Int64")
    table, doubts = rate_doubts.without_rates(table, prepared, table.index[table["nameless"] > 0])
    if periods:
        table, early = rate_doubts.without_unfinished(table, rate_doubts.RATES, "failure rate")
        doubts = [*doubts, *early, *totals.undated_note(counts)]
    notes = [*report_info.RATE_NOTES, *worker_notes.notes(prepared, counts, windows), *doubts]
    notes += [*worker_notes.largest_notes(table, clipped), *shared]
    table = table[[*clipped.shown, *(name for name in COLUMNS if name != "node_name" or NODE in clipped.keys)]]
    return report_info.attach_info(
        table,
        "workers",
        prepared,
        counts,
        notes,
        loaded=windows.loaded,
        tz=tz,
        keys=clipped.shown,
        step=periods and periods.name,
    )


def _prepare(tasks: Any, by: str | Sequence[str], options: dict[str, Any], as_of: Any) -> tuple[Tasks, list[str]]:
    """Return what the report works on; where clusters share ids of nodes, they are keys, too, and a note says so."""
    wanted = ["status_code", "task_id", "cluster"]

    def read(keys: Sequence[str]) -> Tasks:
        return prepare.prepare(tasks, keys, options, as_of=as_of, window="in_flight", taken=COLUMNS, wanted=wanted)

    result = read(by)
    if NODE not in result.keys or CLUSTER in result.keys or not result.context.has_shared_nodes():
        return result, []
    return read([CLUSTER, *group_keys.parse_by(by)]), [worker_notes.SHARED]


def _with_workers(grouped: TaskGroups) -> TaskGroups:
    """Return the tasks of which it is known who worked on them."""
    frame = grouped.frame.filter(~worker_notes.is_coordinated())
    return grouped.with_frame(frame.filter(~nw.col(NODE).is_null()) if NODE in grouped.keys else frame)


def _with_idle(table: pd.DataFrame, grouped: TaskGroups, tasks: Tasks, windows: ClusterWindows) -> pd.DataFrame:
    """Add what has no task: each known node, where nodes are the only key, or the total, in each period.

    A cluster that was read before the window began knows nothing of it: its nodes have no load, rather than none.
    """
    nodes = list_known_nodes(tasks)
    idle: list[dict[str, Any]] = [{grouping.ALL: True}]
    if NODE in tasks.keys:
        idle = [{CLUSTER: cluster, NODE: node} for cluster, node in nodes]
    if windows.window.periods is not None:
        idle = [row | {PERIOD: number} for row in idle for number in windows.window.spans]
    if set(grouped.keys) <= {grouping.ALL, PERIOD, NODE, CLUSTER} and (CLUSTER not in grouped.keys or NODE in table):
        rows = pd.DataFrame(idle, columns=[*grouped.keys]).drop_duplicates()
        table = table.merge(rows.astype(dict(grouped.types)), on=list(grouped.keys), how="outer")
    loads = {"task_s": 0.0, "active_s": 0.0, "peak_in_flight": 0.0, "expected_failed": 0.0}
    if NODE not in table:
        return _with_zero_mean(table.fillna(loads), windows)
    begins = (
        table[PERIOD].map({n: begin for n, (begin, _) in windows.window.spans.items()}) if PERIOD in table else None
    )
    of_node = {node: cluster for cluster, node in nodes}
    clusters = table[CLUSTER] if CLUSTER in table else table[NODE].map(of_node)
    unknown = pd.Series(
        [
            windows.is_unknown(
                None if pd.isna(cluster) else cluster,
                windows.window.low if begins is None else int(begins.iloc[place]),
            )
            for place, cluster in enumerate(clusters)
        ],
        index=table.index,
        dtype="bool",
    )
    unknown &= table["tasks"].isna()
    filled = _with_zero_mean(table.fillna(loads), windows)
    return filled.assign(**{name: filled[name].mask(unknown) for name in (*loads, "mean_in_flight")})


def _with_zero_mean(table: pd.DataFrame, windows: ClusterWindows) -> pd.DataFrame:
    """Return the table with a mean of 0 where nothing is in flight in a window that is not empty."""
    lengths = windows.window.seconds(table, windows.window.low, windows.window.high)
    is_idle = table["tasks"].isna() & (pd.Series(lengths, index=table.index) > 0)
    return table.assign(mean_in_flight=table["mean_in_flight"].mask(is_idle, 0.0))


def _sum_of_all(table: pd.DataFrame) -> pd.Series[float]:
    """Return the task_s of all rows, or of all rows of the period; missing where it is zero."""
    spent = table["task_s"]
    every = table[PERIOD] if PERIOD in table else pd.Series(0, index=table.index)
    total: pd.Series[float] = spent.groupby(every).transform("sum")
    return total.where(total > 0)
