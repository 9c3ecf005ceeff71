"""The rows of a report as a table for a terminal: which columns fit, how cells share the width, what is red."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from mltasks.render import cells as text
from mltasks.render import wrap
from mltasks.render.view import View
from mltasks.reports.report_info import ReportInfo
from mltasks.tasks.metadata import to_datetime

BAD_IF_THERE = ("failing_since",)
BAD_COUNTS = ("failed", "overdue", "failures_in_a_row", "node_failures")
BAD_VALUES = {
    "state": ("FAILED", "EXPIRED", "UNREACHABLE"),
    "outcome": ("failed",),
    "verdict": ("lost", "down", "stuck", "given_up", "overdue", "suspect", "worse", "worse?"),
    "status": ("new", "returned"),
}
LABELS = {
    "create_time": "created",
    "failure_rate_low": "95 %\nlow",
    "failure_rate_high": "95 %\nhigh",
    "task_s": "time in\nflight",
    "peak_in_flight": "peak in\nflight",
}


def make_table(view: View, *, width: int | None = None, wide: bool = False, saved: bool = False) -> Table:
    """Return the rows of a report as a table of at most `width` columns; `wide`: all columns, under their full names.

    A wide terminal gets further columns as long as they fit. Long texts go on in the next line. Numbers are never
    broken: where they alone are wider, the table is. What is bad is red, and says so in words or numbers, too.
    """
    names = [str(name) for name in (view.frame if wide else view.narrow()).columns]
    texts = {name: _column(view, name, wide, saved) for name in names}
    if width is not None and not wide and not view.chosen:
        _add_what_fits(view, texts, width, saved)
    names = list(texts)
    words = [view.is_words(name) for name in names]
    columns = list(texts.values())
    narrows = [word and not view.is_id(name) for name, word in zip(names, words, strict=True)]
    laid = Table(box=None, padding=(0, wrap.GAP, 0, 0), header_style="bold", pad_edge=False)
    fitting = wrap.widths(columns, narrows, width)
    folded: list[list[str]] = []
    for column, narrow, word, wanted in zip(columns, narrows, words, fitting, strict=True):
        lines = ["\n".join(wrap.wrap_text(cell, wanted)) if narrow else cell for cell in column]
        folded.append(lines[1:])
        laid.add_column(Text(lines[0]), justify="left" if word else "right", no_wrap=True, width=wanted)
    bad = [[is_bad(name, value) for value in view.frame[name]] for name in names]
    for row, reds in zip(zip(*folded, strict=True), zip(*bad, strict=True), strict=True):
        laid.add_row(*(Text(cell, style="red" if red else "") for cell, red in zip(row, reds, strict=True)))
    return laid


def is_bad(name: str, value: Any) -> bool:
    """Tell whether a cell says that something is wrong."""
    if text.is_missing(value):
        return False
    return (
        name in BAD_IF_THERE or (name in BAD_VALUES and value in BAD_VALUES[name]) or (name in BAD_COUNTS and value > 0)
    )


def _column(view: View, name: str, wide: bool, saved: bool) -> list[str]:
    """Return the heading of a column and its cells."""
    head = name if wide else label(name, view.is_words(name))
    return [head, *(_cell(view, name, value, wide, saved) for value in view.frame[name])]


def _add_what_fits(view: View, texts: dict[str, list[str]], width: int, saved: bool) -> None:
    """Add further columns in their order, each where the table still fits without a line break."""
    names = [str(name) for name in view.frame.columns]
    for name in names:
        hidden_id = name == "worker_node" and "node_name" in texts
        upper_end = name.endswith("_high") and name.replace("_high", "_low") in names  # shown with the lower one
        if name not in texts and not hidden_id and not upper_end:
            pair = [name, *(each for each in names if name.endswith("_low") and each == name.replace("_low", "_high"))]
            added = texts | {each: _column(view, each, False, saved) for each in pair}
            widths = wrap.widths(list(added.values()), [False] * len(added), None)
            if sum(widths) + wrap.GAP * (len(widths) - 1) <= width:
                texts |= added
    order = {str(name): place for place, name in enumerate(view.frame.columns)}
    for name in sorted(texts, key=order.__getitem__):
        texts[name] = texts.pop(name)


def label(name: str, words: bool) -> str:
    """Return the heading of a column for people, narrow over narrow numbers."""
    short = LABELS.get(name, name.removesuffix("_s"))
    return short.replace("_", " " if words else "\n")


def _cell(view: View, name: str, value: Any, wide: bool, saved: bool) -> str:
    column = view.column(name)
    is_time = column is not None and column.kind == "time" and isinstance(value, datetime)
    if is_time and not wide and not saved and not text.is_missing(value):
        return _short_time(view.info, value)
    return view.cell(name, value, saved=saved)


def _short_time(info: ReportInfo, value: datetime) -> str:
    """Return a time without what the heading says of all of them: its day, or its year."""
    first, last = (None if ms is None else to_datetime(ms) for ms in (info.first_ms, info.last_ms))
    if first and last and first.date() == last.date() == value.date():
        return f"{value:%H:%M:%S}"
    if first and last and first.year == last.year == value.year:
        return f"{value:%m-%d %H:%M}"
    return f"{value:%Y-%m-%d %H:%M}"
