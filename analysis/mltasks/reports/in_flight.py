"""The load of tasks in flight: one pass over their lives in the order of begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.groupby_numpy import GroupedRows
from mltasks.engines.operations import Value
from mltasks.reports import outcome_codes
from mltasks.reports.concurrency import ConcurrencySweep
from mltasks.reports.grouping import TaskGroups
from mltasks.reports.outcome_codes import KIND
from mltasks.reports.time_window import later_of
from mltasks.tasks import derived, schema, table

VALUES: Mapping[str, Value] = {"tasks": ("", "len"), "spent": ("spent", "sum"), "longest": ("spent", "max")}
ENDED_ELSEWHERE = -1  # the kind of a task that ends in another period


@dataclass(frozen=True)
class Load:
    """What a sweep over task intervals finds.

    `parts`: one row per group, kind of outcome and each of some more columns, with tasks, `spent` and `longest` [ms];
    `sweeps`: one row per group with active_s and peak_in_flight.
    """

    parts: pd.DataFrame
    sweeps: pd.DataFrame


def clip_lifetimes(grouped: TaskGroups) -> TaskGroups:
    """Return the groups with begin and end [ms] of each task's time in flight in its window, and `spent` [ms].

    All are missing where a task is no load in the window. With periods, `kind` tells how a task ended only in the
    period in which it did.
    """
    start, high = nw.col("start_ms"), nw.col("high_ms")
    none = derived.is_polled() | derived.has_status("clock_skew") | derived.has_status("implausible")
    kind = outcome_codes.outcome_code()
    if grouped.periods is not None:
        later = (nw.col("end_ms") > high) & (high < nw.col("as_of_ms"))
        later = later.fill_null(value=False) & ~derived.has_outcome(schema.OPEN)
        kind = nw.when(later).then(nw.lit(ENDED_ELSEWHERE)).otherwise(kind)
    frame = grouped.frame.with_columns(
        kind=kind,
        end=nw.when(~none).then(later_of(nw.col("end_ms"), start + 1)),  # at least 1 ms
    )
    begin, end = nw.col("begin"), nw.col("end")
    frame = frame.with_columns(
        begin=later_of(start, nw.col("low_ms")), end=nw.when(end > high).then(high).otherwise(end)
    )
    return grouped.with_frame(frame.with_columns(spent=nw.when(begin < end).then(end - begin)))


def measure_concurrency(grouped: TaskGroups, more: Sequence[str] = ()) -> Load:
    """Return the load of each group, counted also by `more`, columns of the task table; `grouped` is clipped.

    It is one pass over the rows in the order of their begin. What has no load has neither active_s nor a peak.
    """
    keys = list(grouped.keys)
    types = {name: table.pandas_type(schema.COLUMNS[name]) for name in more} | {**grouped.types, KIND: "int64"}
    frame = grouped.frame.select(*dict.fromkeys([*types, "begin", "end", "spent"]))
    numbers: dict[tuple[Any, ...], int] = {}
    levels, parts = ConcurrencySweep(), pd.DataFrame()
    for rows in operations.iter_sorted(frame, "begin"):
        new = operations.aggregate(nw.from_native(rows).lazy(), types, VALUES)
        parts = new if parts.empty else operations.combine_groups(pd.concat([parts, new]), list(types), VALUES)
        lives = GroupedRows(rows[rows["spent"].notna()].astype({"begin": "int64", "end": "int64"}), keys)
        groups = [numbers.setdefault(name, len(numbers)) for name in _name_groups(lives.keys)]
        levels.add(np.repeat(groups, lives.counts), lives.in_order("begin"), lives.in_order("end"))
    sweeps = operations.combine_groups(parts[keys].assign(rows=1.0), keys, {"rows": ("", "sum")})
    places = [numbers.get(name) for name in _name_groups(sweeps[keys])]
    loads = {"active_s": levels.active_ms / 1000, "peak_in_flight": levels.peak.astype("float64")}
    columns = {name: pd.Series(load).reindex(places).to_numpy() for name, load in loads.items()}
    return Load(parts, sweeps[keys].assign(**columns))


def _name_groups(keys: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the groups as tuples; a missing key is None, which is the same everywhere."""
    return keys.astype(object).where(keys.notna(), None).itertuples(index=False, name=None)
