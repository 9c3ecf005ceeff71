"""The load of tasks in flight: a sweep over starts and ends, in one window or in a window a period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks import derived, operations, schema
from mltasks.errors import UsageError
from mltasks.reports.grouping import PERIOD, Grouped
from mltasks.reports.periods import Periods, step

MOST_PERIODS = 400


@dataclass(frozen=True)
class Window:
    """The time that a report looks at: [low, high) in ms UTC, whole or divided into periods."""

    low: int
    high: int
    periods: Periods | None = None

    @cached_property
    def spans(self) -> dict[int, tuple[int, int]]:
        """The periods, each clipped to the window: number -> [low, high); raises UsageError for too many."""
        if self.periods is None or self.low >= self.high:
            return {}
        first, last = self.periods.number_at(self.low), self.periods.number_at(self.high - 1)
        if last - first >= MOST_PERIODS:
            raise UsageError(
                f"every: {last - first + 1} periods in the window are more than {MOST_PERIODS}; "
                "choose longer ones, or a shorter time with since and until (--since, --until)"
            )
        numbers = range(first, last + 1)
        starts = self.periods.starts([*numbers, last + 1]).as_unit("ms").astype("int64").tolist()
        ends = [min(ms, self.high) for ms in starts[1:]]
        return {n: (max(ms, self.low), end) for n, ms, end in zip(numbers, starts, ends, strict=False)}

    def seconds(self, found: pd.DataFrame) -> Any:
        """Return the length [s] of the window, or of each row's period; missing where there is none."""
        if self.periods is None:
            return (self.high - self.low) / 1000 if self.high > self.low else float("nan")
        return found[PERIOD].map({n: (high - low) / 1000 for n, (low, high) in self.spans.items()}).astype("float64")


def in_window(grouped: Grouped, window: Window) -> Grouped:
    """Return the groups with `low_ms` and `high_ms`, the window of a row.

    With periods it is a row a task and period that the task overlaps, each period being a window of its own;
    without, the filters have selected the tasks already.
    """
    low, high = window.low, window.high
    if window.periods is None:
        return grouped.within(grouped.frame.with_columns(low_ms=nw.lit(low), high_ms=nw.lit(high)))
    start, end = nw.col("start_ms"), nw.col("end_ms")
    frame = grouped.frame.filter(~start.is_null()).filter(((start >= low) | (end > low)) & (start < high))
    if not window.spans:
        nothing = frame.filter(start.is_null()).with_columns(low_ms=start, high_ms=start, period=start)
        return grouped.by_period(nothing, window.periods)
    last = nw.when(end > start).then(end - 1).otherwise(start)
    instants = {"first_period": start, "last_period": nw.when(last < high).then(last).otherwise(nw.lit(high - 1))}
    frame = frame.with_columns(**{name: _latest(time, nw.lit(low)).cast(nw.Int64) for name, time in instants.items()})
    frame = frame.with_columns(
        **{name: window.periods.number(nw.col(name), low, high).cast(nw.Int64) for name in instants}
    )
    frame = operations.repeat(frame, "first_period", "last_period", PERIOD)
    lows, highs = ([(n, span[side]) for n, span in window.spans.items()] for side in (0, 1))
    number = nw.col(PERIOD)
    return grouped.by_period(frame.with_columns(low_ms=step(number, lows), high_ms=step(number, highs)), window.periods)


def in_flight(grouped: Grouped) -> Grouped:
    """Return the groups with begin and end [ms] of each task's time in flight in its window, and `spent` [ms].

    All are missing where a task is no load in the window.
    """
    start, high = nw.col("start_ms"), nw.col("high_ms")
    none = derived.is_one_of("task_type", schema.POLLED) | nw.col("clock_skew") | nw.col("implausible")
    frame = grouped.frame.with_columns(end=nw.when(~none).then(_latest(nw.col("end_ms"), start + 1)))  # at least 1 ms
    begin, end = nw.col("begin"), nw.col("end")
    frame = frame.with_columns(
        begin=_latest(start, nw.col("low_ms")), end=nw.when(end > high).then(high).otherwise(end)
    )
    frame = frame.with_columns(spent=nw.when(begin < end).then(end - begin))
    return grouped.within(frame.select(*grouped.keys, "completed", "failed", "begin", "end", "spent"))


def sweep(grouped: Grouped) -> pd.DataFrame:
    """Return active_s [s] and peak_in_flight of each group with load; `grouped` as from `in_flight`.

    At one instant the steps at ends (-1) come before those at starts (+1). Time with at least one task is the sum of
    the instants at which the level falls to zero minus those at which it leaves zero.
    """
    keys = grouped.keys
    lives = grouped.frame.filter(~nw.col("spent").is_null())
    steps = nw.concat(
        [
            lives.select(*keys, at=nw.col(side).cast(nw.Int64), step=nw.lit(step, dtype=nw.Int64))
            for side, step in (("begin", 1), ("end", -1))
        ]
    )
    level, step = nw.col("level"), nw.col("step")
    levels = steps.with_columns(level=step.cum_sum().over(*keys, order_by=("at", "step")))
    falls = nw.when((level == 0) & (step < 0)).then(nw.col("at"))
    change = nw.when((level == 1) & (step > 0)).then(-nw.col("at")).otherwise(falls)
    found = grouped.within(levels.with_columns(active=change)).aggregate(
        (), {"active": ("active", "sum"), "peak_in_flight": ("level", "max")}
    )
    return found.assign(active_s=found.pop("active") / 1000)


def _latest(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    return nw.when(one < other).then(other).otherwise(one)
