"""Figures for papers and chats: tasks in, an Axes in, an Axes out; the style is yours.

Each function draws into `ax`, or into a figure of its own, and returns the Axes. Title, source and window stand above,
units on the axes; colours, fonts and sizes are those of matplotlib's current style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from mltasks.render import header, wrap
from mltasks.render.plot import axes as table_axes
from mltasks.render.plot import heat_map, points, scales
from mltasks.render.plot.drawings import DRAWINGS
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import durations as durations_report
from mltasks.reports import error_periods, measured_tasks
from mltasks.reports import failures as failures_report
from mltasks.reports import timeline as timeline_report
from mltasks.reports import unfinished as unfinished_report
from mltasks.reports.declarations.unfinished import VERDICTS
from mltasks.tasks.filter_options import DurationOptions, FilterOptions, RateOptions

FEW = 2000  # tasks that are drawn one by one
MOST_ERRORS = 12
KINDS = ("task_type", "function_name")


def failure_rate(
    tasks: Any,
    by: str | Sequence[str] = (),
    *,
    every: str = "1d",
    tz: str = "UTC",
    as_of: Any = None,
    ax: Axes | None = None,
    **options: Unpack[RateOptions],
) -> Axes:
    """Draw the failure rate over time, with its 95 % interval where it is one line; as `mltasks.failures` counts it."""
    view = make_view(failures_report.failures(tasks, by, every=every, tz=tz, as_of=as_of, **options))
    return _draw_table(view, "failures", "Failure rate", ax)


def durations(
    tasks: Any,
    by: str | Sequence[str] = KINDS,
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    ax: Axes | None = None,
    **options: Unpack[DurationOptions],
) -> Axes:
    """Draw how long completed tasks take, on a logarithmic axis: the median, and a line to the 95th percentile.

    Up to 2 000 measured tasks are a point each. With `every` it is the median over time.
    """
    table = durations_report.durations(tasks, by, every=every, tz=tz, as_of=as_of, **options)
    view = make_view(table)
    axes = _draw_table(view, "durations", DRAWINGS["durations"].title, ax)
    if every is None and 0 < table["measured"].sum() <= FEW:
        rows = table_axes.choose_rows(view, DRAWINGS["durations"])
        each = measured_tasks.list_durations(tasks, by, as_of=as_of, tz=tz, **options)
        points.draw_durations(rows, view.keys, each, axes)
        axes.set_xlabel("duration: a task (point), the median (dot), to the 95th percentile (line)")
    return axes


def node_load(
    tasks: Any,
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    ax: Axes | None = None,
    **options: Unpack[RateOptions],
) -> Axes:
    """Draw the mean number of tasks in flight as a heat map: a row per node, a column per period."""
    by = "worker_node"
    view = make_view(timeline_report.timeline(tasks, by, every=every, tz=tz, as_of=as_of, **options))
    return _draw_table(view, "timeline", "Load of the nodes", ax)


def concurrency(
    tasks: Any,
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    ax: Axes | None = None,
    **options: Unpack[RateOptions],
) -> Axes:
    """Draw how many tasks are in flight at once over time: the mean of each period, and its peak."""
    view = make_view(timeline_report.timeline(tasks, every=every, tz=tz, as_of=as_of, **options))
    axes = _draw_table(view, "timeline", DRAWINGS["timeline"].title, ax)
    if axes.lines:
        axes.lines[0].set_label("mean")
        step = scales.usual_step(view.frame["period"])
        times, peak = scales.with_gaps(view.frame["period"], view.frame["peak_in_flight"], step)
        axes.plot(times, peak, linewidth=0.8, color="C1", label="peak", zorder=1)
        axes.autoscale(axis="y")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize="small")
    return axes


def errors(
    tasks: Any,
    *,
    every: str | None = None,
    known: str | None = None,
    as_of: Any = None,
    ax: Axes | None = None,
    **options: Unpack[FilterOptions],
) -> Axes:
    """Draw when errors occurred as a heat map: the twelve commonest groups of `mltasks.errors`, and time."""
    table = error_periods.count_errors(tasks, every, known=known, as_of=as_of, **options)
    there = table["error"].drop_duplicates()
    view = make_view(table)
    view = View(table[table["error"].isin(there.head(MOST_ERRORS))], view.info)
    with _open_axes(ax, 3.0 + 0.22 * min(len(there), MOST_ERRORS)) as axes:
        if len(there):
            names, label = table_axes.list_names(view), "tasks created; empty: none"
            heat_map.draw_heat_map(view, "tasks", label, names, axes, zero_is_empty=True)
        else:
            table_axes.write_sentence(axes, "no error: no task has failed")
        cut = [f"the {MOST_ERRORS} commonest of {len(there)} errors"] if len(there) > MOST_ERRORS else []
        _write_title(view, "Errors over time", axes, cut)
    return axes


def open_tasks(tasks: Any, *, as_of: Any = None, ax: Axes | None = None, **options: Unpack[FilterOptions]) -> Axes:
    """Draw how many tasks have been open for how long, a line per verdict of `mltasks.unfinished`."""
    view = make_view(unfinished_report.unfinished(tasks, as_of=as_of, **options))
    with _open_axes(ax, 3.6) as axes:
        if view.frame["age_s"].notna().any():
            points.draw_ages(view, VERDICTS, axes)
        else:
            table_axes.write_sentence(axes, "no open task")
        _write_title(view, "Open tasks by age", axes)
    return axes


def _draw_table(view: View, drawing: str, title: str, ax: Axes | None) -> Axes:
    with _open_axes(ax, table_axes.measure_height(view, DRAWINGS[drawing]) + 1.0) as axes:
        table_axes.draw(view, DRAWINGS[drawing], axes)
        cut = axes.get_title("right")
        axes.set_title("", loc="right")
        if legend := axes.get_legend():
            more = legend.get_title().get_text()
            axes.legend(title=more if more else None, fontsize="small", title_fontsize="small")
        _write_title(view, title, axes, [cut] if cut else [])
    return axes


@contextmanager
def _open_axes(ax: Axes | None, height: float) -> Iterator[Axes]:
    """Hand out the Axes, else those of a new figure of so many inches, in which a dollar sign is no formula."""
    with mpl.rc_context({"text.parse_math": False}):
        yield plt.subplots(figsize=(8, height), layout="constrained")[1] if ax is None else ax


def _measure_width(axes: Axes) -> float:
    """Return how wide the Axes are [points], once what stands beside them has its place."""
    figure = axes.get_figure(root=True)
    if figure is not None and figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
    return axes.get_window_extent().width * 72 / axes.figure.dpi


def _write_title(view: View, title: str, axes: Axes, more: Sequence[str] = ()) -> None:
    """Write what is drawn, of which tasks, and what was left out, above the Axes."""
    size = float(axes.title.get_fontsize()) * 0.75
    lines = wrap.wrap_paragraph(header.covers_line(view.info), max(30, int(_measure_width(axes) / size / 0.6)))
    axes.set_title("\n".join([title, lines, *more]), loc="left", fontsize=size)
