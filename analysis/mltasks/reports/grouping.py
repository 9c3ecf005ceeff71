"""What a row of a report stands for: groups by columns, by node, and by period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks import engines, schema, table, windows
from mltasks.engines import Tasks

DAY, HOUR = schema.DAY_MS, 3_600_000
ALL = "all_tasks"  # the group of the one total row


@dataclass(frozen=True)
class Grouped:
    """A lazy frame with the keys to group by; node keys make it one row a task and node."""

    frame: nw.LazyFrame[Any]
    keys: tuple[str, ...]
    tz: str = "UTC"
    calendar: bool = False  # a period is the number of a local day, not ms in UTC

    @property
    def shown(self) -> list[str]:
        """The keys that are columns of the result."""
        return [key for key in self.keys if key != ALL]

    def finish(self, found: pd.DataFrame) -> pd.DataFrame:
        """Return a grouped result with readable keys first, in their order; a missing key comes last."""
        keys = list(self.keys)
        found = found.sort_values(keys, ignore_index=True)
        if "period" in keys:
            found["period"] = self._starts(found["period"])
        types = {key: table.pandas_type(schema.COLUMNS[key]) for key in keys if key in schema.COLUMNS}
        rest = [name for name in found.columns if name not in keys]
        return found.astype(types)[self.shown + rest]

    def _starts(self, period: pd.Series[Any]) -> pd.Series[Any]:
        if not self.calendar:
            return pd.to_datetime(period, unit="ms", utc=True).dt.tz_convert(self.tz).dt.as_unit("ms")
        days = pd.to_datetime(period, unit="D").dt.as_unit("ms")
        # where a day begins with an hour that is skipped or comes twice, it begins with what is first there
        return days.dt.tz_localize(self.tz, nonexistent="shift_forward", ambiguous=np.ones(len(days), dtype=bool))


def group(tasks: Tasks, every: str | None = None, tz: str = "UTC") -> Grouped:
    """Return the frame with its keys: the `by` columns, then `period` (the start of it, by create_time)."""
    frame, keys, calendar = tasks.frame, tasks.by, False
    if "worker_node" in keys:
        frame = per_node(frame)
    if every is not None:
        windows.zone(tz)
        length = windows.every(every)
        frame = _with_period(frame, length, tz)
        keys = (*keys, "period")
        calendar = length.calendar
    if not keys:
        frame, keys = frame.with_columns(nw.lit(value=True).alias(ALL)), (ALL,)
    return Grouped(frame, keys, tz, calendar)


def per_node(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row a task and node, with the outcome on that node; a task without nodes keeps one row without.

    A deployment failed on a node if its error names the node, or if it failed and names none.
    """
    names_some = nw.col("failed_nodes").list.len() > 0
    ended = nw.col("outcome").is_in((schema.FAILED, schema.PARTIAL))
    named = (
        frame.filter(names_some)
        .drop("worker_node", "other_nodes")
        .explode("failed_nodes", empty_as_null=False, keep_nulls=False)
        .rename({"failed_nodes": "worker_node"})
        .with_columns(outcome=nw.lit(schema.FAILED))
    )
    others = (
        frame.with_columns(
            outcome=nw.when(names_some & ended).then(nw.lit(schema.SUCCEEDED)).otherwise(nw.col("outcome")),
            names_some=names_some,
        )
        .drop("worker_node", "failed_nodes")
        .explode("other_nodes")
        .rename({"other_nodes": "worker_node"})
        .filter(~(nw.col("worker_node").is_null() & nw.col("names_some")))
    )
    columns = named.collect_schema().names()
    return nw.concat([named, others.select(columns)])


def _with_period(frame: nw.LazyFrame[Any], every: windows.Every, tz: str) -> nw.LazyFrame[Any]:
    """Add `period`: its start in ms UTC, or its first local day; tasks without a plausible create_time have none."""
    frame = frame.filter(~nw.col("start_ms").is_null())
    start = nw.col("start_ms").cast(nw.Int64)
    if not every.calendar:
        width = every.n * (60_000 if every.unit == "min" else HOUR)
        return frame.with_columns(period=start // width * width)
    bounds = engines.to_pandas(frame.select(low=start.min(), high=start.max()))
    if bounds.isna().any(axis=None):
        return frame.with_columns(period=start)
    low, high = (pd.Timestamp(int(bounds[name][0]), unit="ms", tz="UTC") for name in ("low", "high"))
    hours = pd.date_range(low.floor("h"), high.ceil("h"), freq="h")
    day = (start + _offset(start, hours.tz_convert(tz))) // DAY
    if every.unit == "w":  # day 0, 1970-01-01, was a Thursday
        day = (day + 3) // 7 * 7 - 3
    if every.unit == "mo":
        local = hours[[0, -1]].tz_convert(tz).tz_localize(None).to_period("M")
        firsts = pd.period_range(local[0], local[1] + 1, freq="M").start_time
        day = _step(day, [(first, first) for first in (firsts - pd.Timestamp(0)).days])
    return frame.with_columns(period=day)


def _offset(start: nw.Expr, hours: pd.DatetimeIndex) -> nw.Expr:
    """Return the zone's offset [ms] at a time: it changes at few of the hours in range."""
    offsets = np.array([(moment.utcoffset() or timedelta()).total_seconds() * 1000 for moment in hours], dtype="int64")
    changes = [0, *(np.flatnonzero(np.diff(offsets)) + 1)]
    return _step(start, [(hours[i].timestamp() * 1000, offsets[i]) for i in changes])


def _step(value: nw.Expr, steps: list[tuple[Any, Any]]) -> nw.Expr:
    """Return what the last step that is not above a value says; the first one also for smaller values."""
    result: nw.Expr = nw.lit(int(steps[0][1]))
    for threshold, then in steps[1:]:
        result = nw.when(value >= int(threshold)).then(nw.lit(int(then))).otherwise(result)
    return result
