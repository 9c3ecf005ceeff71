"""The time that a report on time looks at: one window, or a window a period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.exceptions import UsageError
from mltasks.reports.grouping import PERIOD, TaskGroups
from mltasks.reports.periods import Periods, piecewise

MOST_PERIODS = 400


@dataclass(frozen=True)
class ReportWindow:
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

    def seconds(self, table: pd.DataFrame, low: int, high: int) -> Any:
        """Return the length [s] of the window, or of each row's period, cut to [low, high); missing where empty."""
        if self.periods is None:
            return (high - low) / 1000 if high > low else float("nan")
        cut = {n: min(end, high) - max(begin, low) for n, (begin, end) in self.spans.items()}
        lengths = {n: ms / 1000 if ms > 0 else float("nan") for n, ms in cut.items()}
        return table[PERIOD].map(lengths).astype("float64")


def clip_to_window(grouped: TaskGroups, window: ReportWindow) -> TaskGroups:
    """Return the groups with `low_ms` and `high_ms`, the window of a row; it ends when the row's cluster was read.

    With periods it is one row per task and period that the task overlaps, each period being a window of its own;
    without, the filters have selected the tasks already.
    """
    low, high = window.low, window.high
    if window.periods is None:
        return grouped.with_frame(grouped.frame.with_columns(low_ms=nw.lit(low), high_ms=_read_until(nw.lit(high))))
    start, end = nw.col("start_ms"), nw.col("end_ms")
    frame = grouped.frame.filter(~start.is_null()).filter(((start >= low) | (end > low)) & (start < high))
    if not window.spans:
        nothing = frame.filter(start.is_null()).with_columns(low_ms=start, high_ms=start, period=start)
        return grouped.by_period(nothing, window.periods)
    last = nw.when(end > start).then(end - 1).otherwise(start)
    instants = {"first_period": start, "last_period": nw.when(last < high).then(last).otherwise(nw.lit(high - 1))}
    frame = frame.with_columns(**{name: later_of(time, nw.lit(low)).cast(nw.Int64) for name, time in instants.items()})
    frame = frame.with_columns(
        **{name: window.periods.number(nw.col(name), low, high).cast(nw.Int64) for name in instants}
    )
    frame = operations.explode_range(frame, "first_period", "last_period", PERIOD)
    begin, finish = _clip_periods(nw.col(PERIOD), window.periods, window)
    return grouped.by_period(frame.with_columns(low_ms=begin, high_ms=_read_until(finish)), window.periods)


def _clip_periods(number: nw.Expr, periods: Periods, window: ReportWindow) -> tuple[nw.Expr, nw.Expr]:
    """Return when the period of a number begins and ends, as `ReportWindow.spans` has it."""
    steps = periods.equal_steps(window.low, window.high)
    if steps is None:
        lows, highs = ([(n, span[side]) for n, span in window.spans.items()] for side in (0, 1))
        return piecewise(number, lows), piecewise(number, highs)
    width, origin = steps
    begin = number * width + origin
    finish = begin + width
    high = nw.lit(window.high)
    return later_of(begin, nw.lit(window.low)), nw.when(finish < high).then(finish).otherwise(high)


def _read_until(high: nw.Expr) -> nw.Expr:
    """Return the end of a row's window: no later than its cluster was read."""
    as_of = nw.col("as_of_ms")
    return nw.when(as_of < high).then(as_of).otherwise(high)


def later_of(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    """Return the later of two times."""
    return nw.when(one < other).then(other).otherwise(one)
