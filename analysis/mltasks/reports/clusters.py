"""Several clusters side by side: how often tasks fail, what is lost, how many errors are new, how old the data is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.reports import grouping, report_info
from mltasks.reports.errors import errors
from mltasks.reports.failures import failures
from mltasks.reports.history import read_history
from mltasks.reports.unfinished import UNTOLD, judge_some, knows_starts, may_be_lost
from mltasks.tasks.metadata import Context

COLUMNS = (
    *("cluster", "tasks", "failed", "failure_rate", "failure_rate_low", "failure_rate_high", "open", "lost"),
    *("new_errors", "as_of", "data_age_s"),
)


def compare_clusters(
    tasks: Any, as_of: Any, options: Mapping[str, Any], now: datetime | None = None
) -> pd.DataFrame | None:
    """Return one row per cluster, by name; None where the tasks are of one. What is not known is missing.

    `data_age_s`: the time from `as_of`, when the cluster was read, to `now`, the clock.
    """
    grouped = grouping.group(prepare.prepare(tasks, "cluster", dict(options), as_of=as_of, taken=()))
    if len(operations.aggregate(grouped.frame, grouped.types, {"tasks": ("", "len")})) < 2:
        return None
    context = prepare.open_tasks(tasks).context
    rates = failures(tasks, by="cluster", as_of=as_of, **options)
    verdicts = judge_some(tasks, by=["cluster", "task_type"], as_of=as_of, **options)
    times = rates["cluster"].map(lambda name: context.reading(name if isinstance(name, str) else None).as_of_ms)
    read = pd.to_datetime(times.astype("float64"), unit="ms", utc=True).dt.as_unit("ms")
    table = rates.assign(
        lost=rates["cluster"].map(lambda cluster: _count_lost(verdicts, context, cluster)),
        new_errors=rates["cluster"].map(lambda cluster: _count_new(tasks, cluster, as_of, options)),
        as_of=read,
        data_age_s=(pd.Timestamp(now or datetime.now(UTC)) - read).dt.total_seconds().clip(lower=0),
    )
    info = report_info.read_info(rates)
    counts = ("lost", "new_errors")
    table = table[list(COLUMNS)].astype(dict.fromkeys(counts, "float64")).astype(dict.fromkeys(counts, "Int64"))
    return report_info.with_info(table, report_info.rename(info, "clusters", ["cluster"]))


def _count_lost(verdicts: pd.DataFrame, context: Context, cluster: Any) -> int | None:
    """Return how many open tasks of a cluster are lost; None where none is proven and one may be."""
    rows = verdicts[verdicts["cluster"].isna() if not isinstance(cluster, str) else verdicts["cluster"] == cluster]
    lost = int(rows.loc[rows["verdict"] == "lost", "tasks"].sum())
    is_judged = not any(note.startswith(UNTOLD) for note in report_info.read_info(verdicts).notes)
    info = context.reading(cluster if isinstance(cluster, str) else None)
    return lost if lost or (is_judged and (knows_starts(info) or not may_be_lost(rows).any())) else None


def _count_new(tasks: Any, cluster: Any, as_of: Any, options: Mapping[str, Any]) -> int | None:
    """Return how many errors of a cluster are new; None where it is not known for long enough, whatever others are."""
    if not isinstance(cluster, str):
        return None
    chosen = {**options, "cluster": [cluster]}
    everything = {**chosen, "since": None, "until": None}
    history = read_history(prepare.prepare(tasks, [], everything, as_of=as_of, taken=()))
    if not history.span_days():
        return None
    return int((errors(tasks, as_of=as_of, **chosen, new=f"{history.span_days()}d")["status"] == "new").sum())
