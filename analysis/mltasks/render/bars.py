"""Where the small figures of the page go: intervals of rates, durations from median to p95, bars over time."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from mltasks.render import cells
from mltasks.reports.report_info import Mark
from mltasks.tasks.metadata import to_datetime
from mltasks.tasks.schema import DAY_MS

WIDTH, EDGE = 80, 2  # of a figure in a row [px]
LEFT, TOP, FLOOR = 40, 8, 140  # of the bars over time, in a box of 1000 x 160
MOST_BARS = 120
PARTS = ("completed", "failed", "open")


def place_interval(rate: Any, low: Any, high: Any) -> dict[str, Any] | None:
    """Return the figure of a failure rate and its interval; None where there is none."""
    if any(cells.is_missing(value) for value in (rate, low, high)):
        return None
    title = f"{cells.percent(rate)}, 95 % interval {cells.percent(low)} to {cells.percent(high)}"
    return _place("rate", title, float(rate), float(low), float(high))


def place_durations(p50: Any, p95: Any, shortest: float, longest: float) -> dict[str, Any] | None:
    """Return the figure of a median and its p95, on a logarithmic scale of all rows; None without a median."""
    if cells.is_missing(p50):
        return None
    end = p50 if cells.is_missing(p95) else p95
    title = f"median {cells.duration(p50)}" + ("" if cells.is_missing(p95) else f", p95 {cells.duration(p95)}")
    low, span = math.log(max(shortest, 0.001)), math.log(max(longest, 0.002)) - math.log(max(shortest, 0.001))
    at, high = ((math.log(max(float(value), 0.001)) - low) / span if span > 0 else 0.0 for value in (p50, end))
    return _place("time", title, at, at, high)


def _place(kind: str, title: str, at: float, low: float, high: float) -> dict[str, Any]:
    at, low, high = (round(EDGE + min(max(x, 0.0), 1.0) * (WIDTH - 2 * EDGE), 1) for x in (at, low, high))
    return {"kind": kind, "title": title, "at": at, "low": low, "high": high}


def place_periods(table: pd.DataFrame, marks: Sequence[Mark] = ()) -> dict[str, Any] | None:
    """Return the bars of the timeline's total: what ended in each period, and what was created in it and is open."""
    if not len(table) or len(table) > MOST_BARS or not table["period"].is_unique:
        return None
    top = max(int(table[list(PARTS)].sum(axis="columns").max()), 1)
    width = round((1000 - LEFT) / len(table), 2)
    bars = []
    for n, row in enumerate(table.to_dict("records")):
        y, parts = float(FLOOR), []
        for kind in PARTS:
            height = round(row[kind] / top * (FLOOR - TOP), 2)
            y -= height
            if height:
                parts.append({"kind": kind, "y": round(y, 2), "height": height})
        counts = ", ".join(f"{row[kind]} {kind}" for kind in PARTS)
        bars.append(
            {"x": round(LEFT + n * width, 2), "width": max(round(width - 1, 2), 0.5), "parts": parts}
            | {"title": f"{cells.period(row['period'])}: {counts}"}
        )
    first, last = (_label(table["period"].iloc[place]) for place in (0, -1))
    return {
        "title": f"{int(table['created'].sum())} tasks from {first} to {last}, at most {top} in a bar",
        "says": f"tasks by when they ended, open ones by when they were created; a bar is {_step(table)}",
        "bars": bars,
        "ticks": [{"y": FLOOR - (FLOOR - TOP) * share, "label": f"{top * share:g}"} for share in (0, 0.5, 1)],
        "ends": [{"x": LEFT, "anchor": "start", "label": first}, {"x": 1000, "anchor": "end", "label": last}],
        "marks": [mark for mark in (_place_mark(mark, table["period"], width) for mark in marks) if mark],
    }


def _place_mark(mark: Mark, periods: pd.Series[Any], width: float) -> dict[str, Any] | None:
    """Return where an instant is among the bars; None where it is before the first."""
    starts = [time.timestamp() * 1000 for time in periods]
    place = bisect.bisect_right(starts, mark.ms) - 1
    if place < 0:
        return None
    ends = [*starts[1:], starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else DAY_MS)]
    part = min((mark.ms - starts[place]) / (ends[place] - starts[place]), 1)
    text = f"{cells.one_line(mark.text)} {to_datetime(mark.ms):%Y-%m-%d %H:%M:%S} UTC"
    return {"x": round(LEFT + (place + part) * width, 2), "title": text}


def _label(time: datetime) -> str:
    return cells.period(time)


def _step(table: pd.DataFrame) -> str:
    steps = table["period"].diff().dropna()
    return cells.duration(steps.min().total_seconds()) if len(steps) else "the whole time"
