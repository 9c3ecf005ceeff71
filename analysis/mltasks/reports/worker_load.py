"""The counts and the load of each row of `workers`, put together from what a sweep over the tasks finds."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from mltasks.reports import failing, grouping, in_flight, outcome_codes
from mltasks.reports.cluster_windows import ClusterWindows
from mltasks.reports.grouping import TaskGroups
from mltasks.reports.rate_doubts import WITHOUT_MODEL

KIND_OF_WORK = ("task_type", "function_name")
SUMS = {
    "tasks": ("", "len"),
    "longest": ("", "max"),
    **dict.fromkeys(("spent", "weighed", "known", "nameless"), ("", "sum")),
}


def measure(clipped: TaskGroups, windows: ClusterWindows, counts: Collection[str]) -> pd.DataFrame:
    """Return one row per group that has a task, with its counts, task_s, active_s, mean and peak in flight."""
    keys = list(clipped.keys)
    load = in_flight.measure_concurrency(clipped, [*KIND_OF_WORK, "cluster"])
    parts = load.parts.assign(nameless=load.parts["tasks"].where(load.parts["task_type"].isin(WITHOUT_MODEL), 0.0))
    parts["weighed"] = _mean_in_flight(parts, windows)
    parts["known"] = parts["weighed"].notna().astype("float64")
    codes = outcome_codes.codes_by_name(*counts)
    table = grouping.by_group(parts, keys, codes, SUMS)
    table = table.merge(load.sweeps, on=keys, how="left").merge(_count_expected(parts, keys), on=keys, how="left")
    table["task_s"] = table.pop("spent") / 1000
    table["longest_s"] = table.pop("longest") / 1000
    table["mean_in_flight"] = table["weighed"].where(table["known"] > 0)
    return table


def _mean_in_flight(parts: pd.DataFrame, windows: ClusterWindows) -> pd.Series[float]:
    """Return what each part adds to the mean of its row: its time in flight over the window of its cluster."""
    clusters = parts["cluster"].astype(object).where(parts["cluster"].notna(), None)
    mean = pd.Series(float("nan"), index=parts.index)
    for cluster in dict.fromkeys(clusters):
        rows = clusters.isna() if cluster is None else clusters == cluster
        seconds = windows.window.seconds(parts[rows], windows.window.low, windows.end(cluster))
        mean[rows] = parts.loc[rows, "spent"].fillna(0.0) / 1000 / seconds
    return mean


def _count_expected(parts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the failures to expect in each group, if each task failed as often as its kind does in all groups."""
    codes = outcome_codes.codes_by_name("completed", "failed")
    by = list(dict.fromkeys([*keys, *KIND_OF_WORK]))
    counts = grouping.by_group(parts, by, codes, {"tasks": ("", "len")})
    counts["finished"] = counts["completed"] + counts["failed"]
    counts["group"] = counts.groupby(keys, dropna=False, sort=False, observed=True).ngroup()
    expected = failing.count_expected_failures(counts, "group", list(KIND_OF_WORK))
    groups = counts.drop_duplicates("group")[[*keys, "group"]]
    return groups.merge(expected[["group", "expected_failed"]], on="group").drop(columns="group")
