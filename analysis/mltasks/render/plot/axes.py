"""A report's table drawn into axes: one row per group, or lines over time where it has periods."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from rich.cells import cell_len, set_cell_size

from mltasks.render import cells
from mltasks.render.plot import heat_map, scales
from mltasks.render.plot.drawings import Drawing
from mltasks.render.view import View
from mltasks.reports.periods import Periods
from mltasks.tasks.metadata import to_datetime
from mltasks.tasks.times import parse_period

ROWS, LINES = 20, 6  # what a figure can show
WITHHELD = ("no failure rate", "no percentiles")  # how notes begin on values that would mislead
LONGEST = 44  # cells of a name, of which a wide letter takes two


def draw(view: View, drawing: Drawing, axes: Axes) -> None:
    """Draw a table: load by node and period as a heat map, other periods as lines over time, else one row per group."""
    valued = view.frame[view.frame[drawing.column].notna()]
    if not len(valued):
        write_sentence(axes, _why_nothing(view, drawing))
    elif is_heat_map(view, drawing):
        heat_map.draw_heat_map(view, drawing.column, drawing.label, list_names(view), axes)
        drawing.set_ticks_of_colours(axes, valued[drawing.column].max())
    elif "period" in view.frame.columns:
        _draw_lines(view, drawing, valued, axes)
    else:
        _draw_rows(view, drawing, valued, axes)


def write_sentence(axes: Axes, text: str) -> None:
    """Write a sentence where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, **scales.DIM)


def is_heat_map(view: View, drawing: Drawing) -> bool:
    """Tell whether a table is drawn as a heat map: a load of nodes, over time."""
    return drawing.is_load and {"period", "worker_node"} <= {*view.keys}


def list_names(view: View) -> list[str]:
    """Return the names of the groups of a table with periods, in its order."""
    keys = [key for key in view.keys if key != "period"]
    return [name_of(view, row) for row in view.frame.drop_duplicates(keys).to_dict("records")]


def measure_height(view: View, drawing: Drawing) -> float:
    """Return how high [inches] the axes of a table should be."""
    if is_heat_map(view, drawing):
        return 1.2 + 0.15 * max(len(list_names(view)), 4)
    return 2.6 if "period" in view.frame.columns else 0.55 + 0.24 * max(count_shown_rows(view, drawing), 2)


def _why_nothing(view: View, drawing: Drawing) -> str:
    """Return why no row has a value: what the notes say of it, else that there is nothing to measure."""
    withheld = next((note for note in view.info.notes if note.startswith(WITHHELD)), None)
    return drawing.missing if withheld is None else "\n".join(textwrap.wrap(withheld, 72))


def count_shown_rows(view: View, drawing: Drawing) -> int:
    """Return how many rows a figure of groups has."""
    return min(int(view.frame[drawing.column].notna().sum()), ROWS)


def choose_rows(view: View, drawing: Drawing) -> pd.DataFrame:
    """Return the rows that a figure of groups has, from the bottom: those with the greatest values."""
    valued = view.frame[view.frame[drawing.column].notna()]
    frame = valued.sort_values([drawing.column, _weight(valued)], kind="stable", ignore_index=True).tail(ROWS)
    return frame.reset_index(drop=True)


def _draw_rows(view: View, drawing: Drawing, valued: pd.DataFrame, axes: Axes) -> None:
    frame = choose_rows(view, drawing)
    drawing.rows(axes, frame)
    axes.set_yticks(
        range(len(frame)), labels=[name_of(view, row) for row in frame.to_dict("records")], parse_math=False
    )
    axes.set_ylim(-0.7, len(frame) - 0.3)
    axes.set_xlabel(drawing.label)
    axes.grid(axis="x", **scales.GRID)
    axes.set_axisbelow(True)
    without = len(view.frame) - len(valued)
    why = ", the greatest" if len(frame) < len(valued) else ""
    why += f", {without} without a value" if without else ""
    if why:
        axes.set_title(f"{len(frame)} of {len(view.frame)} rows{why}", fontsize=8, loc="right", **scales.DIM)


def _draw_lines(view: View, drawing: Drawing, valued: pd.DataFrame, axes: Axes) -> None:
    keys = [key for key in view.keys if key != "period"]
    groups = [rows for _, rows in valued.groupby(keys, dropna=False, sort=False)] if keys else [valued]
    largest = sorted(groups, key=lambda rows: -rows[_weight(rows)].sum())[:LINES]
    step = scales.usual_step(view.frame["period"])
    for number, rows in enumerate(largest):
        colour = f"C{number}" if keys else drawing.colour
        times, values = scales.with_gaps(rows["period"], rows[drawing.column], step)
        name = name_of(view, rows.iloc[0].to_dict())
        axes.plot(times, values, marker="o", markersize=3.5, linewidth=1.2, color=colour, label=name)
        if drawing.low is not None and len(groups) == 1:
            low = scales.with_gaps(rows["period"], rows[drawing.low], step)[1]
            high = scales.with_gaps(rows["period"], rows[str(drawing.high)], step)[1]
            axes.fill_between(times, low, high, color=colour, alpha=0.15, linewidth=0)
        if (last := _find_unfinished_period(view)) is not None and (rows["period"] == last).any():
            value = rows.loc[rows["period"] == last, drawing.column]
            axes.plot(
                pd.DatetimeIndex([last]), value, "o", markersize=3.5, markerfacecolor=axes.get_facecolor(), color=colour
            )
    axes.set_ylabel(drawing.label.partition(" (")[0].partition(",")[0])
    axes.set_ylim(bottom=0)
    column = view.column(drawing.column)
    drawing.set_ticks(axes.yaxis, column.kind if column else "number", valued[drawing.column].max())
    scales.use_time(axes, view.info.tz, view.frame["period"], step)
    _draw_marks(view, axes)
    if _find_unfinished_period(view) is not None:
        axes.set_xlabel(f"{axes.get_xlabel()}; a hollow dot is a period that is not over")
    if keys:
        axes.legend(
            title=f"{LINES} of {len(groups)} groups, those with the most tasks" if len(groups) > LINES else None,
            title_fontsize=8,
            fontsize=8,
            frameon=False,
            loc="lower left",
            bbox_to_anchor=(0, 1.01),
            ncols=2,
            alignment="left",
        )


def _weight(frame: pd.DataFrame) -> str:
    """Return the column that says how many tasks a row is of."""
    return "tasks" if "tasks" in frame else "created"


def _draw_marks(view: View, axes: Axes) -> None:
    """Draw what happened at one instant as a line with its name: of the same name and time, one."""
    for mark in view.info.marks:
        at = pd.Timestamp(mark.ms, unit="ms", tz="UTC")
        axes.axvline(date2num(at), color=mpl.rcParams["text.color"], linewidth=0.8, linestyle=":", alpha=0.65)
        label = axes.annotate(
            cells.one_line(mark.text), (at, 1), (2, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", rotation=90, va="top", fontsize=7, **scales.DIM,
        )  # fmt: skip
        label.set_in_layout(False)


def _find_unfinished_period(view: View) -> pd.Timestamp | None:
    """Return the last period if it was not over when the tasks were read."""
    last: pd.Timestamp = view.frame["period"].max()
    if view.info.as_of_ms is None or view.info.step is None:
        return None
    periods = Periods(parse_period(view.info.step), view.info.tz)
    (end,) = periods.starts([periods.number_at(int(last.timestamp() * 1000)) + 1])
    return last if end > to_datetime(view.info.as_of_ms) else None


def name_of(view: View, row: Mapping[Any, Any]) -> str:
    """Return what a row stands for, cut where it is long."""
    if not cells.is_missing(row.get("node_name")):
        row = {**row, "worker_node": row["node_name"]}
    keys = [key for key in view.keys if key != "period"]
    name = " / ".join(view.cell(key, row[key]) for key in keys) or "all tasks"
    return name if cell_len(name) <= LONGEST else f"{set_cell_size(name, LONGEST - 1).rstrip()}…"
