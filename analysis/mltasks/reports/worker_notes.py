"""What `workers` says beside its rows: what is left out, what is missing, and which task is most of a row's load."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.dataset import Tasks
from mltasks.reports import percent, totals
from mltasks.reports.cluster_windows import ClusterWindows
from mltasks.reports.grouping import NODE, TaskGroups
from mltasks.tasks import derived, schema
from mltasks.tasks.metadata import to_iso
from mltasks.tasks.plural import count_of

SHARED = "a node id of several clusters is a node of each: the rows are by cluster, too"
MOST_NAMED = 3  # rows whose largest task is named


def count(tasks: Tasks) -> totals.Totals:
    """Count the tasks, those of which only a coordinating node is known, and those of no node."""
    frame = tasks.frame.with_columns(remote=is_coordinated(), nowhere=_is_nowhere(tasks))
    return totals.count_totals(
        replace(tasks, frame=frame), values={name: (name, "sum") for name in ("remote", "nowhere")}
    )


def is_coordinated() -> nw.Expr:
    """Tell which tasks list a node that only coordinated; a missing function_name is none of a remote model."""
    return derived.is_one_of("task_type", schema.REGISTRATIONS) & derived.is_one_of("function_name", ["REMOTE"])


def _is_nowhere(tasks: Tasks) -> nw.Expr:
    """Tell which tasks name no node."""
    nowhere = nw.col("nodes_text").is_null() & ~is_coordinated()
    return nowhere & (nw.col("failed_nodes").list.len() == 0) if NODE in tasks.keys else nowhere


def notes(tasks: Tasks, counts: totals.Totals, windows: ClusterWindows) -> list[str]:
    """Return what is left out and what is missing, in sentences."""
    by_node, remote, nowhere = NODE in tasks.keys, counts.counts["remote"], counts.counts["nowhere"]
    lines = window_notes(windows)
    if by_node:
        lines.append("a task with several nodes counts once on each of them")
    if remote:
        who, they = (
            ("registration of a remote model", "it names")
            if remote == 1
            else ("registrations of remote models", "they name")
        )
        lines.append(f"{remote:,} {who} left out: {they} only the coordinating node")
    if by_node and nowhere:
        lines.append(f"{count_of(nowhere)} left out: {'it names' if nowhere == 1 else 'they name'} no node")
    return lines


def window_notes(windows: ClusterWindows) -> list[str]:
    """Return what is not known of the load in the window."""
    lines = []
    if windows.cut_ms is not None:
        time = to_iso(windows.cut_ms)
        lines.append(
            f"tasks created before {time} are missing, since the tasks were selected by that time when they were read: "
            "what of them was in flight later is in no load; read all tasks, and give since to the report instead"
        )
    if windows.slice_rows is not None:
        rows, loaded = windows.slice_rows
        lines.append(
            f"these are {rows:,} of the {loaded:,} tasks that were loaded: what the others had in flight is missing; "
            "for a shorter time give all tasks, and since or until to the report"
        )
    unknown = [
        "a source of no cluster" if cluster is None else cluster
        for cluster in windows.ends
        if windows.is_unknown(cluster, windows.window.low)
    ]
    if unknown:
        lines.append(f"{', '.join(unknown)} was read before the window begins: nothing is known of its load there")
    return lines


def largest_notes(table: pd.DataFrame, clipped: TaskGroups) -> list[str]:
    """Return a note on each task that is more than half of the load of a row of several tasks."""
    is_large = (table["tasks"] > 1) & (table["longest_s"] > table["task_s"] / 2)
    rows = table[is_large].nlargest(MOST_NAMED, "longest_s")
    if rows.empty:
        return []
    least = int(rows["longest_s"].min() * 1000)
    tasks = operations.to_pandas(clipped.frame.filter(nw.col("spent") >= least).select("task_id", "spent"))
    ids = tasks.sort_values("task_id").drop_duplicates("spent").set_index("spent")["task_id"]
    lines = []
    for _, row in rows.iterrows():
        share = row["longest_s"] / row["task_s"]
        task_id = ids.get(float(round(row["longest_s"] * 1000)), "a task without an id")
        lines.append(
            f"one task, {task_id}, is {percent.percent(share)} of the time in flight of a row of {row['tasks']:,} tasks"
        )
    return lines
