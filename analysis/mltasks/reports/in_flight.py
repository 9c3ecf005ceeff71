"""The load of tasks in flight: one pass over their lives in the order of begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.groupby_numpy import GroupedRows
from mltasks.engines.operations import Value
from mltasks.reports import grouping, outcome_codes
from mltasks.reports.concurrency import ConcurrencySweep
from mltasks.reports.grouping import Grouped
from mltasks.reports.outcome_codes import KIND, OutcomeCodes
from mltasks.reports.time_window import later_of
from mltasks.tasks import derived

VALUES: Mapping[str, Value] = {"tasks": ("", "len"), "spent": ("spent", "sum")}


def clip_lifetimes(grouped: Grouped) -> Grouped:
    """Return the groups with begin and end [ms] of each task's time in flight in its window, and `spent` [ms].

    All are missing where a task is no load in the window.
    """
    start, high = nw.col("start_ms"), nw.col("high_ms")
    none = derived.is_polled() | derived.has_status("clock_skew") | derived.has_status("implausible")
    frame = grouped.frame.with_columns(end=nw.when(~none).then(later_of(nw.col("end_ms"), start + 1)))  # at least 1 ms
    begin, end = nw.col("begin"), nw.col("end")
    frame = frame.with_columns(
        begin=later_of(start, nw.col("low_ms")), end=nw.when(end > high).then(high).otherwise(end)
    )
    frame = frame.with_columns(spent=nw.when(begin < end).then(end - begin))
    return grouped.within(frame.select(*grouped.keys, "begin", "end", "spent", kind=outcome_codes.outcome_code()))


def measure_concurrency(grouped: Grouped, counts: Mapping[str, OutcomeCodes]) -> pd.DataFrame:
    """Return tasks, `counts`, task_s [s], active_s [s] and peak_in_flight of each group; `grouped` as from `in_flight`.

    It is one pass over the rows in the order of their begin. What has no load has neither active_s nor a peak.
    """
    keys, by_kind = list(grouped.keys), {**grouped.types, KIND: "int64"}
    numbers: dict[tuple[Any, ...], int] = {}
    levels, found = ConcurrencySweep(), pd.DataFrame()
    for rows in operations.iter_sorted(grouped.frame, "begin"):
        new = operations.aggregate(nw.from_native(rows).lazy(), by_kind, VALUES)
        found = new if found.empty else operations.combine_groups(pd.concat([found, new]), list(by_kind), VALUES)
        lives = GroupedRows(rows[rows["spent"].notna()].astype({"begin": "int64", "end": "int64"}), keys)
        groups = [numbers.setdefault(name, len(numbers)) for name in _named(lives.keys)]
        levels.add(np.repeat(groups, lives.counts), lives.in_order("begin"), lives.in_order("end"))
    table = grouping.by_group(found, keys, counts, VALUES)
    table["task_s"] = table.pop("spent") / 1000
    places = [numbers.get(name) for name in _named(table[keys])]
    loads = {"active_s": levels.active_ms / 1000, "peak_in_flight": levels.peak.astype("float64")}
    return table.assign(**{name: pd.Series(load).reindex(places).to_numpy() for name, load in loads.items()})


def _named(keys: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the groups as tuples; a missing key is None, which is the same everywhere."""
    return keys.astype(object).where(keys.notna(), None).itertuples(index=False, name=None)
