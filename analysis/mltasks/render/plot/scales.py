"""The axes of figures: seconds, shares and times, with ticks that can be read."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, num2date
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, MultipleLocator, NullLocator, PercentFormatter

from mltasks.render import cells

STEPS = (  # of an axis of durations [s]
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400),
)
LOG_STEPS = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 21600, 86400, 864000, 8640000)  # of a logarithmic one [s]
MOST_TICKS = 8
GAP = 1.5  # periods further apart than this many usual steps have none between them: the line is broken
GRID: dict[str, Any] = {"alpha": 0.4}  # of the style's own colour
DIM: dict[str, Any] = {"alpha": 0.65}  # of its text


def seconds_ticks(longest: float) -> Locator:
    """Return ticks at whole seconds, minutes, hours or days, at most eight of them."""
    days = 86400 * max(1, round(longest / 86400 / 6))
    return MultipleLocator(next((step for step in STEPS if longest / step <= 8), days))


def seconds_label(value: float) -> str:
    """Return a duration on an axis, where 1.0s is 1s."""
    unit = re.compile(r"\.0s$|(?<=m)00s$|(?<=h)00m$|(?<=d)00h$")
    return "0" if value == 0 else unit.sub(lambda match: "s" if match[0] == ".0s" else "", cells.duration(value))


SECONDS = FuncFormatter(lambda value, _: seconds_label(value))


def use_log_seconds(axes: Axes) -> None:
    """Make the horizontal axis a logarithmic one of durations, with ticks at whole seconds, minutes, hours or days."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = [step for step in LOG_STEPS if low <= step <= high]
    if len(ticks) < 3:
        ticks = [step for step in STEPS if low <= step <= high]
        ticks = ticks[:: -(-len(ticks) // MOST_TICKS)] if ticks else [float(f"{low:.2g}"), float(f"{high:.2g}")]
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(SECONDS)
    axes.xaxis.set_minor_locator(NullLocator())


def use_percent(axis: Any) -> None:
    """Write shares as per cent, with as many digits as the ticks need."""
    axis.set_major_formatter(PercentFormatter(1.0))


def use_time(axes: Axes, tz: str, times: pd.Series[Any], step: pd.Timedelta | None) -> None:
    """Make the horizontal axis one of time in a zone; around a change of the clocks labels show their offset."""
    zone: tzinfo = ZoneInfo(tz)
    axes.xaxis_date(tz)
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    local = times.dt.tz_convert(tz)
    if local.map(datetime.utcoffset).nunique() > 1:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{num2date(at, zone):%m-%d %H:%M%z}"))
        axes.tick_params("x", labelrotation=20)
        if step is not None:  # ticks at the periods themselves: an hour that comes twice has two
            periods = pd.date_range(times.min(), times.max(), freq=step)
            axes.set_xticks(periods[:: -(-len(periods) // MOST_TICKS)])
    else:
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    around = step or pd.Timedelta(hours=1)
    if times.nunique() == 1:  # one point alone would get an axis of years
        axes.set_xlim(times.iloc[0] - around, times.iloc[0] + around)
    axes.set_xlabel(f"period ({tz})")
    axes.grid(**GRID)


def usual_step(periods: pd.Series[Any]) -> pd.Timedelta | None:
    """Return the least distance of two periods that follow each other; None where there is one."""
    distances = periods.drop_duplicates().sort_values().diff().dropna()
    return distances.min() if len(distances) else None


def with_gaps(times: pd.Series[Any], values: pd.Series[Any], step: pd.Timedelta | None) -> tuple[Any, Any]:
    """Return times and values in order, with a missing value between periods that do not follow each other."""
    ordered = pd.Series(values.to_numpy(dtype="float64", na_value=np.nan), index=pd.DatetimeIndex(times)).sort_index()
    if step is not None:
        apart = ordered.index.to_series().diff() > GAP * step
        holes = pd.DatetimeIndex(ordered.index[apart]) - step / 2
        ordered = pd.concat([ordered, pd.Series(np.nan, index=holes)]).sort_index()
    return ordered.index, ordered.to_numpy()
