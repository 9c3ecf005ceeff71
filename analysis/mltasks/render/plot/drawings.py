"""What each report's figure shows of a row: a dot and its interval, a bar, a line over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mltasks.render.plot import scales
from mltasks.reports.declaration import Kind

BLUE, RED = "C0", "C1"  # of the style: in our own figures they are blue and red


@dataclass(frozen=True)
class Drawing:
    """How the figure of a report is drawn.

    `column` is what is drawn, and by which rows are chosen where there are too many; `title` names the figure, `label`
    its axis, `missing` says what is missing where no row has a value.
    """

    title: str
    column: str
    label: str
    missing: str
    rows: Callable[[Axes, pd.DataFrame], None]
    colour: str
    low: str | None = None
    high: str | None = None
    is_load: bool = False  # over time, one row per node says more than lines

    def set_ticks_of_colours(self, axes: Axes, longest: float) -> None:
        """Write the values beside the colours of a heat map as durations, where they are."""
        (mesh,) = axes.collections
        if self.column.endswith("_s") and mesh.colorbar is not None:
            mesh.colorbar.set_ticks(scales.seconds_ticks(longest))
            mesh.colorbar.formatter = scales.SECONDS

    def set_ticks(self, axis: Any, kind: Kind, longest: float) -> None:
        """Write the values on an axis as those of a column of this kind."""
        if kind == "duration":
            axis.set_major_formatter(scales.SECONDS)
            axis.set_major_locator(scales.seconds_ticks(longest))
        elif kind == "share":
            scales.use_percent(axis)


def draw_durations(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the median as a dot and a line to the 95th percentile, where there is one, on a logarithmic axis."""
    places = np.arange(len(frame))
    low = frame["p50_s"].clip(lower=0.001)
    high = frame["p95_s"].fillna(frame["p50_s"]).clip(lower=0.001)
    axes.hlines(places, low, high, color=BLUE, linewidth=2.5, alpha=0.45)
    axes.plot(low, places, "o", color=BLUE, markersize=5)
    scales.use_log_seconds(axes)


def draw_failures(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the rate as a dot on its interval."""
    places = np.arange(len(frame))
    axes.hlines(places, frame["failure_rate_low"], frame["failure_rate_high"], color=RED, linewidth=2.5, alpha=0.4)
    axes.plot(frame["failure_rate"], places, "o", color=RED, markersize=5)
    axes.set_xlim(-0.02 * (top := max(frame["failure_rate_high"].max(), 0.01)), 1.02 * top)
    scales.use_percent(axes.xaxis)


def draw_workers(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the time in flight as a bar, with the peak behind it."""
    axes.barh(np.arange(len(frame)), frame["task_s"], color=BLUE, height=0.6)
    for place, (seconds, peak) in enumerate(zip(frame["task_s"], frame["peak_in_flight"], strict=True)):
        label = axes.annotate(
            f"peak {peak}", (seconds, place), (4, 0), textcoords="offset points", va="center", fontsize=8, **scales.DIM
        )
        label.set_in_layout(False)
    longest = frame["task_s"].max()
    axes.set_xlim(0, longest * 1.12 or 1)
    axes.xaxis.set_major_formatter(scales.SECONDS)
    axes.xaxis.set_major_locator(scales.seconds_ticks(longest))


def draw_in_flight(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the mean in flight as a bar."""
    axes.barh(np.arange(len(frame)), frame["mean_in_flight"], color=BLUE, height=0.6)


DRAWINGS = {
    "timeline": Drawing(
        "Tasks in flight over time",
        "mean_in_flight",
        "tasks in flight at once, on average",
        "no load: no task was in flight",
        draw_in_flight,
        BLUE,
        is_load=True,
    ),
    "failures": Drawing(
        "Failure rates",
        "failure_rate",
        "failure rate (dot) and its 95 % interval",
        "no failure rate: no task has completed or failed",
        draw_failures,
        RED,
        "failure_rate_low",
        "failure_rate_high",
    ),
    "durations": Drawing(
        "Durations",
        "p50_s",
        "median duration (dot), to the 95th percentile",
        "no duration: no task was measured",
        draw_durations,
        BLUE,
    ),
    "workers": Drawing(
        "Load of the worker nodes",
        "task_s",
        "time in flight, summed over tasks",
        "no load: no task was in flight",
        draw_workers,
        BLUE,
        is_load=True,
    ),
}
