"""A report in a terminal: what it covers, a table that fits, and the notes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable

import pandas as pd
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mltasks.context import moment
from mltasks.present import text
from mltasks.present.view import View
from mltasks.reports.result import Info


def render(view: View, *, wide: bool = False, width: int | None = None, colour: bool = False) -> str:
    """Return the text; at most `width` columns (the terminal's, else 80), as many as it takes with `wide`."""
    parts: list[RenderableType] = [Text(heading(view.info), style="bold")]
    if len(view.frame):
        parts.append(table(view, wide=wide))
    parts += [Text(f"- {text.one_line(note)}", style="dim") for note in view.info.notes]
    return laid_out(parts, width=10_000 if wide else width, colour=colour)


def laid_out(parts: Iterable[RenderableType], *, width: int | None = None, colour: bool = False) -> str:
    """Return tables and texts below each other as text, without blanks at the ends of lines."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width or shutil.get_terminal_size().columns,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def heading(info: Info) -> str:
    """Return what every output begins with."""
    return text.one_line(info.covers() + as_of(info))


def as_of(info: Info) -> str:
    """Return the time that the report is true for, to go behind what it covers."""
    if info.as_of_ms is None:
        return ""
    assumed = " (assumed: the newest time in the data)" if info.as_of_assumed else ""
    return f", as of {moment(info.as_of_ms):%Y-%m-%d %H:%M} UTC{assumed}"


def _label(name: str, words: bool) -> str:
    """Return the heading of a column, narrow over narrow numbers."""
    short = name.removesuffix("_s").replace("failure_rate_", "rate_")
    return short.replace("_", " " if words else "\n")


def table(view: View, *, wide: bool = False) -> Table:
    """Return the rows of a report as a table; with `wide`, all columns under their full names."""
    frame = view.frame if wide else view.narrow()
    laid = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    for name in frame.columns:
        words = pd.api.types.is_string_dtype(frame[name]) or name in view.keys
        laid.add_column(
            name if wide else _label(name, words),
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=not words,
            min_width=min(12, max(map(len, map(str, frame[name])), default=0)) if words else None,
        )
    for row in frame.itertuples(index=False):
        cells = []
        for name, value in zip(frame.columns, row, strict=True):
            shown = text.key if name in view.keys else text.cell
            cells.append(Text(shown(name, value, view.info.as_of_ms)))
        laid.add_row(*cells)
    return laid
