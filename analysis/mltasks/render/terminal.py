"""A report in a terminal: what it covers, a table that fits, and the notes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mltasks.render import cells as text
from mltasks.render import header, wrap
from mltasks.render.view import View
from mltasks.reports.report_info import ReportInfo
from mltasks.tasks.metadata import to_datetime

LABELS = {
    "create_time": "created",
    "failure_rate_low": "95 %\nlow",
    "failure_rate_high": "95 %\nhigh",
    "task_s": "time in\nflight",
    "peak_in_flight": "peak in\nflight",
}


def render(view: View, *, wide: bool = False, width: int | None = None, colour: bool = False) -> str:
    """Return the text; at most `width` columns (the terminal's, else 80), as many as it takes with `wide`."""
    width = width or terminal_width()
    parts: list[RenderableType] = [title(view.info, width)]
    if len(view.frame):
        parts.append(table(view, width=None if wide else width, wide=wide))
    parts += [Text(wrap.wrap_paragraph(text.one_line(note), width, "- "), style="dim") for note in view.info.notes]
    return to_text(parts, colour=colour)


def terminal_width() -> int:
    """Return the width of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def to_text(parts: Iterable[RenderableType], *, colour: bool = False) -> str:
    """Return tables and texts that are already laid out below each other, without blanks at the ends of lines."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=1_000_000,  # widths are settled before
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def title(info: ReportInfo, width: int) -> Text:
    """Return what every output begins with, laid out."""
    return Text(wrap.wrap_paragraph(header.covers_line(info), width), style="bold")


def table(view: View, *, width: int | None = None, wide: bool = False) -> Table:
    """Return the rows of a report as a table of at most `width` columns; `wide`: all columns, under their full names.

    Long texts go on in the next line. Numbers are never broken: where they alone are wider, the table is.
    """
    frame = view.frame if wide else view.narrow()
    names = [str(name) for name in frame.columns]
    words = [view.is_words(name) for name in names]
    labels = names if wide else [label(name, word) for name, word in zip(names, words, strict=True)]
    cells = [[_cell(view, name, value, wide) for value in frame[name]] for name in names]
    columns = [[label, *column] for label, column in zip(labels, cells, strict=True)]
    narrows = [word and not view.is_id(name) for name, word in zip(names, words, strict=True)]
    laid = Table(box=None, padding=(0, wrap.GAP, 0, 0), header_style="bold", pad_edge=False)
    fitting = wrap.widths(columns, narrows, width)
    folded: list[list[str]] = []
    for column, narrow, word, wanted in zip(columns, narrows, words, fitting, strict=True):
        lines = ["\n".join(wrap.wrap_text(cell, wanted)) if narrow else cell for cell in column]
        folded.append(lines[1:])
        laid.add_column(Text(lines[0]), justify="left" if word else "right", no_wrap=True, width=wanted)
    for row in zip(*folded, strict=True):
        laid.add_row(*map(Text, row))
    return laid


def label(name: str, words: bool) -> str:
    """Return the heading of a column for people, narrow over narrow numbers."""
    short = LABELS.get(name, name.removesuffix("_s"))
    return short.replace("_", " " if words else "\n")


def _cell(view: View, name: str, value: Any, wide: bool) -> str:
    column = view.column(name)
    if not wide and column and column.kind == "time" and isinstance(value, datetime) and not text.is_missing(value):
        return _short_time(view.info, value)
    return view.cell(name, value)


def _short_time(info: ReportInfo, value: datetime) -> str:
    """Return a time without what the heading says of all of them: its day, or its year."""
    first, last = (None if ms is None else to_datetime(ms) for ms in (info.first_ms, info.last_ms))
    if first and last and first.date() == last.date() == value.date():
        return f"{value:%H:%M:%S}"
    if first and last and first.year == last.year == value.year:
        return f"{value:%m-%d %H:%M}"
    return f"{value:%Y-%m-%d %H:%M}"
