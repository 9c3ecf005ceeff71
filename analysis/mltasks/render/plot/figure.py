"""A figure that stands alone: drawing, title, source and window; saved as PNG or SVG."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.rcsetup import cycler

from mltasks.exceptions import UsageError
from mltasks.object_storage import output
from mltasks.render import header, wrap, write
from mltasks.render.plot.axes import draw, measure_height
from mltasks.render.plot.drawings import DRAWINGS, Drawing
from mltasks.render.view import View
from mltasks.reports.registry import REPORTS

GREY = "#6b7078"
STYLE: Any = {
    "axes.prop_cycle": cycler(color=("#1f5fa8", "#b3261e", "#8a6d00", "#2e7d32", "#7b3fa0", GREY)),
    "grid.color": "#b9bec5",
    "grid.linewidth": 0.6,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar sign in an error text is no formula
    "svg.fonttype": "none",  # text stays text: small, and searchable in the page
}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
NAMED = re.compile(r'(?<=<g) id="[^"]+_[0-9]+"')  # names of groups that nothing refers to, the same in every figure
WIDTH = 105  # characters of the line below the title


def save(view: View, path: str | Path, *, force: bool = False) -> None:
    """Write the figure of a report as .png or .svg; the same table gives the same bytes."""
    kind = write.picture(str(path))
    with output.atomic_path(path, force) as part, _style(view):
        figure(view).savefig(part, format=kind, dpi=150, metadata=NO_METADATA if kind == "svg" else None)


def svg(view: View) -> str:
    """Return the figure of a report as an SVG element for a page, whose ground and colour of texts it takes."""
    out = io.StringIO()
    with _style(view):
        figure(view).savefig(out, format="svg", metadata=NO_METADATA, transparent=True)
    text = NAMED.sub("", out.getvalue()).replace("#000000", "currentColor")
    return text[text.index("<svg") :]


def drawing_of(report: str) -> Drawing:
    """Return how the figure of a report is drawn; raises UsageError where it has none."""
    figures = {name: declared.figure for name, declared in REPORTS.items() if declared.figure}
    if report not in figures:
        raise UsageError(f"--plot: there is no figure of {report}; there are some of {', '.join(figures)}")
    return DRAWINGS[figures[report]]


def figure(view: View) -> Figure:
    """Return the figure of a report, with its title and what it covers."""
    drawing = drawing_of(view.info.report)
    lines = wrap.wrap_paragraph(header.covers_line(view.info), WIDTH).split("\n")
    head = 0.55 + 0.16 * len(lines)
    body = measure_height(view, drawing)
    with _style(view):
        fig = Figure(figsize=(7.2, head + body), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06))
        axes = fig.subplots()
        draw(view, drawing, axes)
        fig.suptitle(drawing.title, x=0.01, ha="left", fontweight="bold")
        fig.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color=GREY)
    return fig


@contextmanager
def _style(view: View) -> Iterator[None]:
    salt = {"svg.hashsalt": f"mltasks {view.info.report}"}  # what figures refer to is named by their content
    with mpl.rc_context(STYLE | salt), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box in a PNG; text in an SVG
        yield
