"""Tasks as they are, a point or a step each: durations of groups, ages of open tasks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mltasks.render.plot import scales
from mltasks.render.view import View

GOLDEN = 0.618034  # places within a row that do not repeat
LEAST_S = 0.001  # what a logarithmic axis shows of a duration of 0


def draw_durations(rows: pd.DataFrame, keys: list[str], points: pd.DataFrame, axes: Axes) -> None:
    """Draw the duration of each task as a point in the row of its group; `rows` are the groups from the bottom."""
    placed = points.merge(rows[keys].assign(place=np.arange(len(rows))), on=keys) if keys else points.assign(place=0)
    spread = (np.arange(len(placed)) * GOLDEN % 1 - 0.5) * 0.5
    axes.plot(
        placed["duration_s"].clip(lower=LEAST_S), placed["place"] + spread,
        "o", color="C0", markersize=2.5, alpha=0.35, markeredgewidth=0, zorder=1, label="a task",
    )  # fmt: skip
    axes.autoscale(axis="x")
    scales.use_log_seconds(axes)


def draw_ages(view: View, order: tuple[str, ...], axes: Axes) -> None:
    """Draw how many open tasks are at least so old, a line of steps per verdict, on a logarithmic axis."""
    ages = view.frame.dropna(subset="age_s")
    for verdict in [name for name in order if (ages["verdict"] == name).any()]:
        seconds = np.sort(ages.loc[ages["verdict"] == verdict, "age_s"].clip(lower=LEAST_S).to_numpy("float64"))
        count = np.arange(len(seconds), 0, -1)
        axes.step(seconds, count, where="pre", marker="o", markersize=3, label=f"{verdict}: {len(seconds):,}")
    scales.use_log_seconds(axes)
    axes.set_xlabel("age")
    axes.set_ylabel("open tasks at least so old")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.grid(**scales.GRID)
    axes.legend()
