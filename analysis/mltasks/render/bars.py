"""Where the small figures of the page go: intervals of rates, durations from median to p95, bars over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mltasks.render import cells

WIDTH, EDGE = 80, 3  # of a figure in a row, and of its room at both ends for half a point [px]
HEIGHT = 14
SCALES = (0.05, 0.1, 0.25, 0.5, 1.0)  # ends of the scale of rates
DECADES = (0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000)  # [s], ticks of durations


def choose_scale(highest: Any) -> float:
    """Return where the scale of rates ends: at the first round one that all intervals fit in."""
    return next((end for end in SCALES if not cells.is_missing(highest) and highest <= end), SCALES[-1])


def place_interval(rate: Any, low: Any, high: Any, top: float = 1.0) -> dict[str, Any] | None:
    """Return the figure of a failure rate and its interval on a scale from 0 to `top`; None where there is none."""
    if any(cells.is_missing(value) for value in (rate, low, high)):
        return None
    title = f"{cells.percent(rate)}, 95 % interval {cells.percent(low)} to {cells.percent(high)}"
    title += f", on a scale to {cells.percent(top)}"
    return _place("rate", title, float(rate) / top, float(low) / top, float(high) / top, (0.5,))


def place_durations(p50: Any, p95: Any, shortest: float, longest: float) -> dict[str, Any] | None:
    """Return the figure of a median and its p95, on a logarithmic scale of all rows; None without a median."""
    if cells.is_missing(p50):
        return None
    end = p50 if cells.is_missing(p95) else p95
    title = f"median {cells.duration(p50)}" + ("" if cells.is_missing(p95) else f", p95 {cells.duration(p95)}")
    low, high = (math.log(max(value, 0.001)) for value in (shortest, longest))
    span = high - low
    at, stop, *ticks = (
        (math.log(max(float(value), 0.001)) - low) / span if span > 0 else 0.0 for value in (p50, end, *DECADES)
    )
    return _place("time", title, at, at, stop, [tick for tick in ticks if 0 < tick < 1])


def place_share(share: Any, title: str) -> dict[str, Any] | None:
    """Return the figure of a share as a bar from 0 to 100 %; None where there is none."""
    if cells.is_missing(share):
        return None
    return _place("time", title, float(share), 0.0, float(share), ()) | {"kind": "share"}


def _place(kind: str, title: str, at: float, low: float, high: float, ticks: Sequence[float]) -> dict[str, Any]:
    at, low, high, *ticks = (_fit(x) for x in (at, low, high, *ticks))
    return {"kind": kind, "title": title, "at": at, "low": low, "high": high, "ticks": ticks}


def _fit(share: float) -> float:
    return round(EDGE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * EDGE), 1)


def place_strip(parts: Sequence[tuple[float, int]], title: str) -> dict[str, Any] | None:
    """Return counts over time as thin bars; `parts`: where each begins, as a share of the time, and its count."""
    if not parts:
        return None
    top = max(count for _, count in parts)
    bars = [(_fit(share), max(round(count / top * (HEIGHT - 1)), 3)) for share, count in parts]
    return {"kind": "strip", "title": title, "path": "".join(f"M{x:g} {HEIGHT}v-{height}" for x, height in bars)}
