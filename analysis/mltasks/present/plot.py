"""One figure a report, from its table alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from mltasks import files
from mltasks.errors import UsageError
from mltasks.present import text
from mltasks.present.view import View

MOST = 20  # rows a figure can show
BLUE, RED, GREY = "#1f5fa8", "#b3261e", "#8a8f98"
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar sign in an error text is no formula
    "svg.fonttype": "none",  # text stays text: small, and searchable in the page
    "svg.hashsalt": "mltasks",  # the same table gives the same bytes
}


def save(view: View, path: str | Path, *, force: bool = False) -> None:
    """Write the figure of a report as .png or .svg."""
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise UsageError(f"--plot {path}: no picture of this suffix; there are .png and .svg")
    with files.replacing(path, force) as part, mpl.rc_context(STYLE):
        figure(view).savefig(part, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)


def svg(view: View) -> str:
    """Return the figure of a report as an SVG element."""
    out = io.StringIO()
    with mpl.rc_context(STYLE):
        figure(view).savefig(out, format="svg", metadata={"Date": None})
    found = out.getvalue()
    return found[found.index("<svg") :]


def figure(view: View) -> Figure:
    """Return the figure of a report: periods as lines over time, else a row a group."""
    drawn = DRAWN.get(view.info.report)
    if drawn is None:
        raise UsageError(f"--plot: there is no figure of {view.info.report}")
    with mpl.rc_context(STYLE):
        if "period" in view.frame.columns:
            return _over_time(view, *drawn[1:])
        return _rows(view, *drawn)


def _rows(view: View, draw: Callable[[Axes, pd.DataFrame], None], column: str, label: str, ticks: Any) -> Figure:
    frame = view.frame.nlargest(MOST, "tasks", keep="all").head(MOST)
    frame = frame[frame[column].notna()].sort_values(column, ignore_index=True)
    fig = Figure(figsize=(7.2, 0.9 + 0.26 * max(len(frame), 1)), layout="constrained")
    axes = fig.subplots()
    draw(axes, frame)
    axes.set_yticks(range(len(frame)), labels=[_name(view, row) for row in frame.to_dict("records")])
    axes.set_ylim(-0.7, max(len(frame), 1) - 0.3)
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(ticks)
    axes.grid(axis="x", color="#e3e5e8", linewidth=0.6)
    axes.set_axisbelow(True)
    if len(frame) < len(view.frame):
        without = int(view.frame[column].isna().sum())
        said = f"{len(frame)} of {len(view.frame)} rows" + (f", {without} without a value" if without else "")
        axes.set_title(said, fontsize=8, color=GREY, loc="right")
    return fig


def _over_time(view: View, column: str, label: str, ticks: Any) -> Figure:
    fig = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = fig.subplots()
    keys = [key for key in view.keys if key != "period"]
    groups = [("", view.frame)] if not keys else view.frame.groupby(keys, dropna=False, sort=False)
    largest = sorted(groups, key=lambda item: -item[1]["tasks"].sum())[:6]
    for _, rows in largest:
        axes.plot(
            rows["period"].to_numpy(),
            rows[column].to_numpy(),
            marker="o",
            markersize=3,
            label=_name(view, rows.iloc[0].to_dict()),
        )
    axes.set_ylabel(label.partition(" (")[0])
    axes.yaxis.set_major_formatter(ticks)
    axes.set_ylim(bottom=0)
    if keys:
        axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    fig.autofmt_xdate()
    return fig


def _name(view: View, row: Mapping[Any, Any]) -> str:
    if not text.missing(row.get("node_name")):
        row = {**row, "worker_node": row["node_name"]}
    keys = [key for key in view.keys if key != "period"]
    return " / ".join(text.key(key, row[key], view.info.as_of_ms)[:40] for key in keys) or "all tasks"


def _durations(axes: Axes, frame: pd.DataFrame) -> None:
    places = range(len(frame))
    low = frame["p50_s"].clip(lower=0.001)
    axes.hlines(places, low, frame["p95_s"].clip(lower=0.001), color=BLUE, linewidth=2.5, alpha=0.45)
    axes.plot(low, places, "o", color=BLUE, markersize=5)
    axes.set_xscale("log")


def _failures(axes: Axes, frame: pd.DataFrame) -> None:
    places = range(len(frame))
    axes.hlines(places, frame["failure_rate_low"], frame["failure_rate_high"], color=RED, linewidth=2.5, alpha=0.4)
    axes.plot(frame["failure_rate"], places, "o", color=RED, markersize=5)
    axes.set_xlim(-0.02, 1.02)


def _workers(axes: Axes, frame: pd.DataFrame) -> None:
    axes.barh(range(len(frame)), frame["task_s"], color=BLUE, height=0.6)
    for place, (seconds, peak) in enumerate(zip(frame["task_s"], frame["peak_in_flight"], strict=True)):
        axes.annotate(f" peak {peak}", (seconds, place), va="center", fontsize=8, color=GREY)


SECONDS = FuncFormatter(lambda value, _: text.duration(value))
PERCENT = PercentFormatter(1.0, decimals=0)
DRAWN: dict[str, tuple[Callable[[Axes, pd.DataFrame], None], str, str, Any]] = {
    "durations": (_durations, "p50_s", "median duration (dot), to the 95th percentile", SECONDS),
    "failures": (_failures, "failure_rate", "failure rate (dot) and its 95 % interval", PERCENT),
    "workers": (_workers, "task_s", "time in flight, summed over tasks", SECONDS),
}
