"""The load of tasks in flight: their lives clipped to a window, and how many there are at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.operations import Value
from mltasks.reports import outcome_codes
from mltasks.reports.grouping import TaskGroups
from mltasks.reports.outcome_codes import KIND
from mltasks.reports.time_window import later_of
from mltasks.tasks import duration_status, outcomes, schema, table

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
    none = (
        duration_status.is_polled()
        | duration_status.has_status("clock_skew")
        | duration_status.has_status("implausible")
    )
    kind = outcome_codes.outcome_code()
    if grouped.periods is not None:
        later = (nw.col("end_ms") > high) & (high < nw.col("as_of_ms"))
        later = later.fill_null(value=False) & ~outcomes.has_outcome(schema.OPEN)
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

    What has no load has neither active_s nor a peak.
    """
    keys = list(grouped.keys)
    types = {name: table.pandas_type(schema.COLUMNS[name]) for name in more} | {**grouped.types, KIND: "int64"}
    frame = grouped.frame.select(*dict.fromkeys([*types, "begin", "end", "spent"]))
    parts, levels = operations.measure_load(frame, keys, types, VALUES)
    sweeps = operations.combine_groups(parts[keys].assign(rows=1.0), keys, {"rows": ("", "sum")})
    sweeps = sweeps[keys].merge(levels, on=keys, how="left")
    return Load(parts, sweeps.assign(active_s=sweeps["active_ms"] / 1000)[[*keys, "active_s", "peak_in_flight"]])
