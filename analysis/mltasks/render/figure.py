"""One figure a report, from its table alone."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MultipleLocator, PercentFormatter
from rich.cells import cell_len, set_cell_size

from mltasks import atomic_write
from mltasks.exceptions import UsageError
from mltasks.render import cells, write
from mltasks.render.view import View

ROWS, LINES = 20, 6  # what a figure can show
LONGEST = 44  # cells of a name, of which a wide letter takes two
BLUE, RED, GREY = "#1f5fa8", "#b3261e", "#6b7078"
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar sign in an error text is no formula
    "svg.fonttype": "none",  # text stays text: small, and searchable in the page
}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
STEPS = (  # of an axis of time [s]
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400),
)
NAMED = re.compile(r'(?<=<g) id="[^"]+_[0-9]+"')  # names of groups that nothing refers to, the same in every figure


def save(view: View, path: str | Path, *, force: bool = False) -> None:
    """Write the figure of a report as .png or .svg; the same table gives the same bytes."""
    kind = write.picture(str(path))
    with atomic_write.atomic_path(path, force) as part, _style(view):
        figure(view).savefig(part, format=kind, dpi=150, metadata=NO_METADATA if kind == "svg" else None)


def svg(view: View) -> str:
    """Return the figure of a report as an SVG element for a page."""
    out = io.StringIO()
    with _style(view):
        figure(view).savefig(out, format="svg", metadata=NO_METADATA)
    found = NAMED.sub("", out.getvalue())
    return found[found.index("<svg") :]


@contextmanager
def _style(view: View) -> Iterator[None]:
    salt = {"svg.hashsalt": f"mltasks {view.info.report}"}  # what figures refer to is named by their content
    with mpl.rc_context(STYLE | salt), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box in a PNG; text in an SVG
        yield


def figure(view: View) -> Figure:
    """Return the figure of a report: periods as lines over time, else one row per group."""
    drawn = DRAWN.get(view.info.report)
    if drawn is None:
        raise UsageError(f"--plot: there is no figure of {view.info.report}")
    with _style(view):
        return _over_time(view, *drawn[1:]) if "period" in view.frame.columns else _rows(view, *drawn)


def _rows(view: View, draw: Callable[[Axes, pd.DataFrame], None], column: str, label: str, ticks: Any) -> Figure:
    valued = view.frame[view.frame[column].notna()]
    frame = valued.nlargest(ROWS, "tasks", keep="all").head(ROWS)
    frame = frame.sort_values([column, "tasks"], kind="stable", ignore_index=True)
    fig = Figure(figsize=(7.2, 0.9 + 0.24 * max(len(frame), 1)), layout="constrained")
    axes = fig.subplots()
    axes.xaxis.set_major_formatter(ticks)
    draw(axes, frame)
    axes.set_yticks(range(len(frame)), labels=[_name(view, row) for row in frame.to_dict("records")])
    axes.set_ylim(-0.7, max(len(frame), 1) - 0.3)
    axes.set_xlabel(label)
    axes.grid(axis="x", color="#e3e5e8", linewidth=0.6)
    axes.set_axisbelow(True)
    without = len(view.frame) - len(valued)
    _say(axes, len(frame), len(view.frame), "rows", f", {without} without a value" if without else "")
    return fig


def _over_time(view: View, column: str, label: str, ticks: Any) -> Figure:
    fig = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = fig.subplots()
    keys = [key for key in view.keys if key != "period"]
    valued = view.frame[view.frame[column].notna()]
    groups = [rows for _, rows in valued.groupby(keys, dropna=False, sort=False)] if keys else [valued]
    largest = sorted(groups, key=lambda rows: -rows["tasks"].sum())[:LINES]
    for rows in largest:
        at = rows["period"].dt.tz_localize(None)  # as the clocks there show it
        name = _name(view, rows.iloc[0].to_dict()) if len(rows) else ""
        axes.plot(at.to_numpy(), rows[column].to_numpy(float), marker="o", markersize=3, label=name)
    axes.set_ylabel(label.partition(" (")[0].partition(",")[0])
    axes.yaxis.set_major_formatter(ticks)
    axes.set_ylim(bottom=0)
    if column.endswith("_s"):
        axes.yaxis.set_major_locator(_steps(valued[column].max()))
    # matplotlib's module of dates has no types
    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel(f"period ({view.info.tz})")
    axes.grid(color="#e3e5e8", linewidth=0.6)
    if keys and largest:
        fig.legend(fontsize=8, frameon=False, loc="outside upper left", ncols=2)
    _say(axes, len(largest), len(groups), "groups", ", the largest")
    return fig


def _say(axes: Axes, shown: int, there: int, what: str, why: str) -> None:
    """Say above a figure that it does not show everything."""
    if shown < there:
        axes.set_title(f"{shown} of {there} {what}{why}", fontsize=8, color=GREY, loc="right")


def _name(view: View, row: Mapping[Any, Any]) -> str:
    if not cells.is_missing(row.get("node_name")):
        row = {**row, "worker_node": row["node_name"]}
    keys = [key for key in view.keys if key != "period"]
    found = " / ".join(cells.key(key, row[key], view.info.as_of_ms) for key in keys) or "all tasks"
    return found if cell_len(found) <= LONGEST else f"{set_cell_size(found, LONGEST - 1).rstrip()}…"


def _durations(axes: Axes, frame: pd.DataFrame) -> None:
    places = range(len(frame))
    low = frame["p50_s"].clip(lower=0.001)
    axes.hlines(places, low, frame["p95_s"].clip(lower=0.001), color=BLUE, linewidth=2.5, alpha=0.45)
    axes.plot(low, places, "o", color=BLUE, markersize=5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(SECONDS)
    axes.xaxis.set_minor_formatter("")


def _failures(axes: Axes, frame: pd.DataFrame) -> None:
    places = range(len(frame))
    axes.hlines(places, frame["failure_rate_low"], frame["failure_rate_high"], color=RED, linewidth=2.5, alpha=0.4)
    axes.plot(frame["failure_rate"], places, "o", color=RED, markersize=5)
    axes.set_xlim(-0.02, 1.02)


def _workers(axes: Axes, frame: pd.DataFrame) -> None:
    axes.barh(range(len(frame)), frame["task_s"], color=BLUE, height=0.6)
    for place, (seconds, peak) in enumerate(zip(frame["task_s"], frame["peak_in_flight"], strict=True)):
        said = axes.annotate(
            f"peak {peak}", (seconds, place), (4, 0), textcoords="offset points", va="center", fontsize=8, color=GREY
        )
        said.set_in_layout(False)
    longest = frame["task_s"].max() if len(frame) else 0.0
    axes.set_xlim(0, longest * 1.12 or 1)
    axes.xaxis.set_major_locator(_steps(longest))


def _steps(longest: float) -> Locator:
    """Return ticks at whole minutes, hours or days, at most eight of them."""
    days = 86400 * max(1, round(longest / 86400 / 6))
    return MultipleLocator(next((step for step in STEPS if longest / step <= 8), days))


def _tick(value: float) -> str:
    """Return a duration on an axis, where 1.0s is 1s."""
    return "0" if value == 0 else re.sub(r"\.0s$|(?<=m)00s$|(?<=h)00m$|(?<=d)00h$", _unit, cells.duration(value))


def _unit(found: re.Match[str]) -> str:
    return "s" if found[0] == ".0s" else ""


SECONDS = FuncFormatter(lambda value, _: _tick(value))
PERCENT = PercentFormatter(1.0, decimals=0)
DRAWN: dict[str, tuple[Callable[[Axes, pd.DataFrame], None], str, str, Any]] = {
    "durations": (_durations, "p50_s", "median duration (dot), to the 95th percentile", SECONDS),
    "failures": (_failures, "failure_rate", "failure rate (dot) and its 95 % interval", PERCENT),
    "workers": (_workers, "task_s", "time in flight, summed over tasks", SECONDS),
}
