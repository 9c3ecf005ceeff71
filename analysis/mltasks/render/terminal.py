"""A report in a terminal: what it covers, a table that fits, and the notes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mltasks.render import cells as text
from mltasks.render import header, wrap
from mltasks.render.terminal_table import make_table
from mltasks.render.view import View
from mltasks.reports.report_info import ReportInfo

BELOW = {"list": "reason", "highlights": "command"}  # the column that stands below the rows where it does not fit


def render(
    view: View, *, wide: bool = False, width: int | None = None, colour: bool = False, saved: bool = False
) -> str:
    """Return the text; at most `width` columns (the terminal's, else 80), as many as it takes with `wide`.

    `saved`: it goes into a file, where "ago" needs the time beside it.
    """
    width = width or terminal_width()
    parts: list[RenderableType] = [title(view.info, width)]
    if len(view.frame):
        rows = make_table(view, width=None if wide else width, wide=wide, saved=saved)
        name = BELOW.get(view.info.report, "")
        is_below = name and not wide and not view.chosen and _hides(view, name, rows)
        parts.append(_with_texts_below(view, name, rows, width, colour) if is_below else rows)
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
        force_jupyter=False,  # the text is returned; in a notebook it would be shown, too
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip(" ") for line in out.getvalue().split("\n"))


def title(info: ReportInfo, width: int) -> Text:
    """Return what every output begins with, laid out."""
    return Text(wrap.wrap_paragraph(header.covers_line(info), width), style="bold")


def _hides(view: View, name: str, rows: Table) -> bool:
    """Tell whether there is a column that a table has no room for."""
    shown = {str(column.header).replace("\n", "") for column in rows.columns}
    return name in view.frame and name not in shown


def _with_texts_below(view: View, name: str, rows: Table, width: int, colour: bool) -> Text:
    """Return a table with the texts of a column below its rows: the reason of a failed task, the command of a finding.

    A command goes on in the next line as a shell takes it.
    """
    lines = to_text([rows], colour=colour).split("\n")
    heights = [
        max(str(cell).count("\n") + 1 for cell in row) for row in zip(*(c.cells for c in rows.columns), strict=True)
    ]
    head = len(lines) - 1 - sum(heights)  # the last line is empty
    parts, place = lines[:head], head
    wrap_below = wrap.wrap_command if name == "command" else wrap.wrap_paragraph
    for height, below in zip(heights, view.frame[name], strict=True):
        parts += lines[place : place + height]
        place += height
        if not text.is_missing(below):
            parts.append(wrap_below(text.one_line(below), width, "  "))
    return Text.from_ansi("\n".join(parts))
