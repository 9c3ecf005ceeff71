"""A table with periods as a heat map: one row per group, time to the right, the value as colour."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import MaxNLocator

from mltasks.render.plot import scales
from mltasks.render.view import View

MOST_VECTOR_CELLS = 2000  # with more of them an SVG holds the cells as a picture
SMALLEST_TEXT = 4.0  # points; where names need less, only some of them are written


def draw_heat_map(
    view: View, column: str, label: str, names: list[str], axes: Axes, *, zero_is_empty: bool = False
) -> None:
    """Draw a column of a table with periods; a cell without a value stays empty.

    `names` are those of the groups in the order of the table, from the top; `label` says what the colours are.
    `zero_is_empty`: counts, of which one has to be told from none.
    """
    frame = view.frame
    keys = [key for key in view.keys if key != "period"]
    starts = pd.DatetimeIndex(frame["period"].drop_duplicates().sort_values())
    groups = frame.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
    cells = np.full((len(names), len(starts)), np.nan)
    cells[groups, starts.get_indexer(pd.DatetimeIndex(frame["period"]))] = frame[column].to_numpy(
        "float64", na_value=np.nan
    )
    step = scales.usual_step(frame["period"])
    edges = date2num(starts.append(starts[-1:] + (step or pd.Timedelta(hours=1))))
    mesh = axes.pcolormesh(
        edges, np.arange(len(names) + 1) - 0.5, np.ma.masked_invalid(cells), vmin=0.5 if zero_is_empty else 0,
        rasterized=cells.size > MOST_VECTOR_CELLS,
    )  # fmt: skip
    if zero_is_empty:
        mesh.set_cmap(mesh.get_cmap().with_extremes(under="none"))
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes to draw into are those of a figure
    ticks = MaxNLocator(integer=True) if zero_is_empty else None  # of counts
    figure.colorbar(mesh, ax=axes, label=label.replace(", ", ",\n"), ticks=ticks)
    scales.use_time(axes, view.info.tz, frame["period"], step)
    axes.grid(visible=False)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(len(names) - 0.5, -0.5)
    _write_names(names, axes)


def _write_names(names: list[str], axes: Axes) -> None:
    """Write the names of rows as large as the rows are high; each second, third ... one where that is too small."""
    height = axes.get_window_extent().height * 72 / axes.figure.dpi / len(names)
    every = max(1, int(np.ceil(SMALLEST_TEXT / height)))
    axes.set_yticks(range(0, len(names), every), labels=names[::every], parse_math=False)
    usual = float(axes.yaxis.get_ticklabels()[0].get_fontsize()) if names else SMALLEST_TEXT
    axes.tick_params("y", labelsize=min(usual, max(SMALLEST_TEXT, 0.85 * height * every)))
