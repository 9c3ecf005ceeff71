"""The bars over time of the page: where they go, which numbers and times stand at the axes, marks of node starts."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from mltasks.render import cells
from mltasks.reports.report_info import Mark
from mltasks.tasks.metadata import to_datetime
from mltasks.tasks.schema import DAY_MS

HEIGHT, TOP = 150, 8  # of the bars, and of the room above them [px]
MOST_BARS = 120
DIGIT = 7  # wide, at most, in the labels of the scale [px]
LAST_LABEL = 94  # per cent of the width; a label from there on ends with the axis, so that it is whole on a phone
LEAST_SCALE = 36  # width of the scale [px]
MOST_TICKS, MOST_LABELS = 4, 8
PARTS = ("completed", "open", "failed")  # from the bottom to the top
STEPS = tuple(  # between two labels of the time axis
    timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160)
)


def place_periods(table: pd.DataFrame, marks: Sequence[Mark] = ()) -> dict[str, Any] | None:
    """Return the bars of the timeline's total: what ended in each period, and what was created in it and is open.

    Places along the axis are in per cent of its width, heights in px.
    """
    if not len(table) or len(table) > MOST_BARS or not table["period"].is_unique:
        return None
    step = _count_step(max(int(table[list(PARTS)].sum(axis="columns").max()), 1))
    most = int(table[list(PARTS)].sum(axis="columns").max())
    top = step * -(-max(most, 1) // step)
    width = 100 / len(table)
    bars = [
        _place_bar(row, round(n * width, 3), round(width * 0.86, 3), top)
        for n, row in enumerate(table.to_dict("records"))
    ]
    starts = [time.timestamp() * 1000 for time in table["period"]]
    first, last = (cells.period(table["period"].iloc[place]) for place in (0, -1))
    placed = [mark for mark in (_place_mark(mark, starts, width) for mark in marks) if mark]
    return {
        "title": f"{int(table['created'].sum()):,} tasks from {first} to {last}, at most {most:,} in a bar",
        "says": f"Tasks by when they ended, open ones by when they were created; a bar is {_describe_step(table)}.",
        "bars": [bar for bar in bars if bar["parts"]],
        "height": HEIGHT,
        "ticks": [
            {"y": round(HEIGHT - (HEIGHT - TOP) * n / top, 1), "label": f"{n:,}"} for n in range(0, top + 1, step)
        ],
        "scale": max(LEAST_SCALE, DIGIT * len(f"{top:,}") + 8),
        "labels": _place_labels(list(table["period"]), width),
        "marks": placed,
    }


def _place_bar(row: dict[Any, Any], x: float, width: float, top: int) -> dict[str, Any]:
    y, parts = float(HEIGHT), []
    for kind in PARTS:
        if row[kind]:
            height = round(row[kind] / top * (HEIGHT - TOP), 1)
            y = round(y - height, 1)
            parts.append({"kind": kind, "y": y, "height": height})
    counts = ", ".join(f"{row[kind]:,} {kind}" for kind in ("completed", "failed", "open"))
    return {"x": x, "width": width, "parts": parts, "title": f"{cells.period(row['period'])}: {counts}"}


def _count_step(most: int) -> int:
    """Return the whole number of tasks between two ticks: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * MOST_TICKS >= most:
                return factor * power
        power *= 10


def _place_labels(times: list[datetime], width: float) -> list[dict[str, Any]]:
    """Return the labels of the time axis, at round times; every other one may be left out where there is no room."""
    span = times[-1] - times[0]
    step = next((step for step in STEPS if span <= step * (MOST_LABELS - 1)), None)
    if step is None:
        places = list(range(0, len(times), -(-len(times) // MOST_LABELS)))
    else:
        places = [n for n, time in enumerate(times) if _is_round(time, step)] or [0]
    places = places[:: -(-len(places) // MOST_LABELS)]
    days = span >= timedelta(days=1)
    labels: list[dict[str, Any]] = []
    day = None
    for place in places:
        time = times[place]
        midnight = (time.hour, time.minute) == (0, 0)
        text = f"{time:%b} {time.day}" if midnight and days else f"{time:%H:%M}"
        if not midnight and days and time.date() != day:
            text = f"{time:%b} {time.day} {time:%H:%M}"
        day = time.date()
        x, anchor = (place * width, "start") if place * width < LAST_LABEL else (100, "end")
        labels.append({"x": round(x, 2), "label": text, "second": len(labels) % 2 == 1, "anchor": anchor})
    return labels


def _is_round(time: datetime, step: timedelta) -> bool:
    minutes = int(step.total_seconds()) // 60
    if minutes <= 1440:
        return (time.hour * 60 + time.minute) % minutes == 0
    return (time.hour, time.minute) == (0, 0) and (time.toordinal() - 1) % (minutes // 1440) == 0  # from Mondays on


def _place_mark(mark: Mark, starts: Sequence[float], width: float) -> dict[str, Any] | None:
    """Return where an instant is among the bars; None where it is before the first."""
    place = bisect.bisect_right(starts, mark.ms) - 1
    if place < 0:
        return None
    ends = [*starts[1:], starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else DAY_MS)]
    part = min((mark.ms - starts[place]) / (ends[place] - starts[place]), 1)
    text = f"{cells.one_line(mark.text)} {to_datetime(mark.ms):%Y-%m-%d %H:%M:%S} UTC"
    return {"x": round((place + part) * width, 2), "title": text}


def _describe_step(table: pd.DataFrame) -> str:
    steps = table["period"].diff().dropna()
    if not len(steps):
        return "the whole time"
    seconds = round(steps.min().total_seconds())
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}s" if seconds > unit else f"one {name}"
    return cells.duration(seconds)
