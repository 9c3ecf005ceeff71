"""Values as people read them, and texts made harmless wherever they are shown."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pandas as pd

from mltasks.render.harmless_text import escape_control as escape_control
from mltasks.render.harmless_text import one_line as one_line
from mltasks.reports.declaration import ReportColumn
from mltasks.reports.duration_text import duration as duration
from mltasks.reports.percent import percent as percent
from mltasks.tasks.metadata import to_datetime

MISSING = "–"
NO_GROUP = "(missing)"
SECOND = {"s": 1.0, "ms": 0.001}  # units of durations, in seconds


def is_missing(value: Any) -> bool:
    """Tell whether a cell is missing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def ago(time: datetime, as_of_ms: int | None) -> str:
    """Return how long before `as_of` a time was."""
    if as_of_ms is None:
        return f"{time:%Y-%m-%d %H:%M}"
    seconds = (to_datetime(as_of_ms) - time).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 1 else "now"


def period(start: datetime, *, of_days: bool = True) -> str:
    """Return the start of a period; its offset where an hour comes twice.

    `of_days`: the period is a day or longer, so that its time of day is shown only where it is not midnight.
    """
    if of_days and (start.hour, start.minute) == (0, 0):
        return f"{start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M%z}" if _comes_twice(start) else f"{start:%Y-%m-%d %H:%M}"


def _comes_twice(time: datetime) -> bool:
    """Tell whether the clocks of its zone show a time twice that day."""
    plain = datetime(time.year, time.month, time.day, time.hour, time.minute, tzinfo=time.tzinfo)
    return plain.replace(fold=0).utcoffset() != plain.replace(fold=1).utcoffset()


def iso(time: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond; one without a zone is UTC."""
    stamp = pd.Timestamp(time)
    utc = stamp.tz_convert("UTC") if stamp.tzinfo else stamp.tz_localize("UTC")
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cell(column: ReportColumn | None, value: Any, as_of_ms: int | None, *, saved: bool = False) -> str:
    """Return a cell of a report as text, by the kind and the unit of its column; None: a column of the user's own.

    `saved`: it is read later, so that the time itself stands beside how long ago it was.
    """
    kind = column.kind if column else None
    if is_missing(value):
        return MISSING
    if isinstance(value, datetime):
        if kind == "period":
            return period(value)
        time = f"{value:%Y-%m-%d %H:%M:%S}"
        if kind != "ago" or (saved and as_of_ms is None):
            return time
        return f"{time} ({ago(value, as_of_ms)})" if saved else ago(value, as_of_ms)
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "true" if value else "false"
    number = float(value)
    if column and kind == "duration":
        return duration(number * SECOND[column.unit])
    if kind == "share":
        return percent(number)
    if kind == "ordinal":
        return str(int(value))
    if kind != "number" and number.is_integer():
        return f"{int(value):,}"
    return f"{number:,.2f}"


def key(column: ReportColumn | None, value: Any, as_of_ms: int | None, *, saved: bool = False) -> str:
    """Return a key of a report as text; a missing one is a group of its own."""
    return NO_GROUP if is_missing(value) else cell(column, value, as_of_ms, saved=saved)
