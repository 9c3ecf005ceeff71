"""Periods as whole numbers, so that an engine needs to know no calendar: `every` and `tz`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.tasks import schema, times

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS  # no zone has changed its clocks at any other instant since 2019
USUAL = ("1min", "2min", "5min", "10min", "15min", "30min", "1h", "2h", "3h", "6h", "12h", "1d", "1w", "1mo")
MOST_CHOSEN = 120
THURSDAY = 3  # 1970-01-01, day 0, is so many days after a Monday


@dataclass(frozen=True)
class Periods:
    """Periods of one length, numbered in the order of time; calendar ones are those of a time zone."""

    every: times.Every
    tz: str

    def number(self, time: nw.Expr, low: int, high: int) -> nw.Expr:
        """Return the number of the period that a time lies in; all times are from `low` to `high` [ms UTC]."""
        if not self.every.calendar:
            return time // self._width
        day = (time + piecewise(time, self._offsets(low, high))) // schema.DAY_MS
        if self.every.unit == "d":
            return day
        if self.every.unit == "w":
            return (day + THURSDAY) // 7
        first, last = (_month(self._local(ms)) for ms in (low, high))
        months = np.arange(first, last + 1)
        return piecewise(day, list(zip(_days(months).tolist(), months.tolist(), strict=True)))

    def number_at(self, ms: int) -> int:
        """Return the number of the period that one time [ms UTC] lies in."""
        if not self.every.calendar:
            return ms // self._width
        local = self._local(ms)
        if self.every.unit == "mo":
            return _month(local)
        day = (local - pd.Timestamp(0)).days
        return day if self.every.unit == "d" else (day + THURSDAY) // 7

    def starts(self, numbers: Any) -> pd.DatetimeIndex:
        """Return the instants at which periods begin, in the time zone."""
        whole = np.asarray(numbers, dtype="int64")
        if not self.every.calendar:
            return pd.to_datetime(whole * self._width, unit="ms", utc=True).as_unit("ms").tz_convert(self.tz)
        days = {"d": whole, "w": whole * 7 - THURSDAY, "mo": _days(whole)}[self.every.unit]
        midnights = pd.to_datetime(days, unit="D").as_unit("ms")
        # a day that begins with an hour that is skipped or comes twice begins with what is first there
        first = np.ones(len(midnights), dtype=bool)
        return midnights.tz_localize(self.tz, nonexistent="shift_forward", ambiguous=first)

    def equal_steps(self, low: int, high: int) -> tuple[int, int] | None:
        """Return a width and an origin [ms UTC]: from `low` to `high`, period n begins at n * width + origin.

        None where the periods are not equally long: months, and days where the clocks change.
        """
        if not self.every.calendar:
            return self._width, 0
        offsets = self._offsets(low, high) if self.every.unit != "mo" else []
        if len(offsets) != 1:
            return None
        origin = -offsets[0][1]
        return (schema.DAY_MS, origin) if self.every.unit == "d" else (self.usual_ms, origin - THURSDAY * schema.DAY_MS)

    @property
    def name(self) -> str:
        """The length as it is written in `every`."""
        return f"{self.every.n}{self.every.unit}"

    @property
    def usual_ms(self) -> int:
        """The usual length [ms] of a period: a month is taken as 30 days."""
        days = {"d": 1, "w": 7, "mo": 30}
        return days[self.every.unit] * schema.DAY_MS if self.every.calendar else self._width

    @property
    def _width(self) -> int:
        return self.every.n * (MINUTE_MS if self.every.unit == "min" else 60 * MINUTE_MS)

    def _local(self, ms: int) -> pd.Timestamp:
        return pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(self.tz).tz_localize(None)

    def _offsets(self, low: int, high: int) -> list[tuple[int, int]]:
        """Return the zone's offsets [ms], each with the time [ms UTC] from which it holds."""
        quarters = np.arange(low // QUARTER_MS, high // QUARTER_MS + 1) * QUARTER_MS
        there = pd.to_datetime(quarters, unit="ms", utc=True).tz_convert(self.tz).tz_localize(None)
        offsets = (there - pd.to_datetime(quarters, unit="ms")) // timedelta(milliseconds=1)
        changes = [0, *(np.flatnonzero(np.diff(offsets)) + 1)]
        return [(int(quarters[i]), int(offsets[i])) for i in changes]


def choose_periods(low: int, high: int, tz: str) -> Periods:
    """Return the shortest usual periods of which a time [ms] has 120 at most; months, where all have more."""
    for text in USUAL:
        periods = Periods(times.parse_period(text), tz)
        if high <= low or periods.number_at(high - 1) - periods.number_at(low) < MOST_CHOSEN:
            break
    return periods


def piecewise(value: nw.Expr, steps: Sequence[tuple[int, int]]) -> nw.Expr:
    """Return what the last step that is not above a value says; the first one also for smaller values."""
    if len(steps) == 1:
        return nw.lit(steps[0][1])
    middle = len(steps) // 2  # halves, so that many steps make no deep expression
    upper, lower = piecewise(value, steps[middle:]), piecewise(value, steps[:middle])
    return nw.when(value >= steps[middle][0]).then(upper).otherwise(lower)


def _month(local: pd.Timestamp) -> int:
    return (local.year - 1970) * 12 + local.month - 1


def _days(months: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the first day of months, both counted from 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype("int64")
