"""Clusters of which nothing is heard: no task was created for longer than is usual there."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.prepare import Tasks
from mltasks.reports.example_tasks import AT, find_examples
from mltasks.reports.findings import finding
from mltasks.reports.findings.finding import Commands, Finding
from mltasks.tasks.schema import DAY_MS

FEWEST = 100  # gaps between tasks, of which a 99th percentile can be told
TIMES = 10
KEY = {"cluster": operations.TEXT}


def find_silence(tasks: Tasks, commands: Commands) -> list[Finding]:
    """Return the clusters where nothing was created for longer than a day and 10 times the p99 of the gaps before.

    The silence ends when the cluster was read, or with the filter `until`.
    """
    frame = tasks.frame.filter(~nw.col("start_ms").is_null()).with_columns(nw.col("cluster").cast(nw.String))
    values = {"tasks": ("", "len"), AT: ("start_ms", "max"), "as_of_ms": ("as_of_ms", "max")}
    clusters = operations.aggregate(frame, KEY, values)
    until = tasks.filters.until_ms
    ends = clusters["as_of_ms"] if until is None else clusters["as_of_ms"].clip(upper=until)
    clusters = clusters.assign(silent_ms=ends - clusters[AT])
    clusters = clusters[(clusters["silent_ms"] > DAY_MS) & (clusters["tasks"] > FEWEST)]
    silent = [row for row in clusters.to_dict("records") if _is_unusual(frame, row)]
    if not silent:
        return []
    silences = pd.DataFrame(silent).astype(KEY)
    silences = find_examples(frame.with_columns(nw.col("start_ms").alias(AT)), silences, ["cluster"])
    return [_describe(row, commands) for row in silences.sort_values("silent_ms", ascending=False).to_dict("records")]


def _is_unusual(frame: nw.LazyFrame[Any], row: dict[Any, Any]) -> bool:
    cluster = nw.col("cluster")
    same = cluster.is_null() if pd.isna(row["cluster"]) else cluster == row["cluster"]
    parts = operations.iter_sorted(frame.filter(same).select("start_ms"), "start_ms")
    times = np.concatenate([part["start_ms"].to_numpy("int64") for part in parts])
    return bool(row["silent_ms"] > TIMES * np.quantile(np.diff(times), 0.99))


def _describe(row: dict[Any, Any], commands: Commands) -> Finding:
    last = pd.Timestamp(int(row[AT]), unit="ms", tz="UTC")
    cluster = None if pd.isna(row["cluster"]) else str(row["cluster"])
    return Finding(
        kind="silence",
        subject=cluster or "all tasks",
        reason=f"nothing created since {finding.moment(last)}, far longer than the usual gap between tasks",
        command=commands.show(
            "list", "--columns task_id,create_time", "--top 1", **({"cluster": cluster} if cluster else {})
        ),
        since=last,
        example_task_id=row["example_task_id"],
    )
