"""Times as people write them: `2026-11-24 22:00`, `7d`, `monday`, and calendar periods such as `1w`."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mltasks.exceptions import UsageError
from mltasks.tasks import json_values, metadata

MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
RELATIVE = re.compile(r"([0-9]+)\s*(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
SPAN = re.compile(r"([0-9]*\.?[0-9]+)\s*(s|m|min|h)?")
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month")
EVERY = re.compile(r"([1-9][0-9]*)(min|h|d|w|mo)")
if TYPE_CHECKING:
    import numpy as np  # whose import takes longer than to say that a text is no time

    Moment = str | date | datetime | timedelta | np.datetime64 | np.timedelta64 | int | None
else:
    Moment = Any


def parse_time(value: Moment, as_of_ms: int | None, name: str, tz: str = "UTC") -> int | None:
    """Return a time in ms since 1970, UTC.

    `value` is absolute (a text as in ISO 8601, a date or a datetime; without an offset it is UTC; a whole number
    is ms) or relative to `as_of_ms`: so long before (`30m`, `24h`, `7d`, `2w`, a timedelta), a weekday (the latest
    one, from its midnight), or a period (`today`, `yesterday`, `this-week`, `last-week`, `this-month`, `last-month`,
    and `2026-11`). A period stands for its beginning, and for `until` for its end. Days, weeks (from Monday) and
    months are those of the calendar in `tz`. Raises UsageError naming `name`.
    """
    if value is None:
        return None
    ms = _parse(value, as_of_ms, name, tz)
    if not json_values.FIRST_MS <= ms <= json_values.LAST_MS:
        raise UsageError(f"{name}: {value!r} lies outside the years 1 to 9999; give a time of the data")
    return ms


def check_window(since_ms: int | None, until_ms: int | None) -> None:
    """Raise UsageError for a window that ends before it begins."""
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        begin, end = metadata.to_iso(since_ms), metadata.to_iso(until_ms)
        raise UsageError(f"since {begin} is not before until {end}; swap them")


def check_spans(since: Moment, until: Moment) -> None:
    """Raise UsageError for two spans before the time of the data, whatever it is, of which the later one begins."""
    spans = [RELATIVE.fullmatch(value.strip()) if isinstance(value, str) else None for value in (since, until)]
    begin, end = (int(span[1]) * MS[span[2][0].lower()] if span else None for span in spans)
    if begin is not None and end is not None and begin <= end:
        raise UsageError(f"since {since} is not before until {until}; swap them")


def is_relative(value: Any) -> bool:
    """Tell whether a time counts from the time of the data."""
    if isinstance(value, str):
        return _word(value) in (*PERIODS, *WEEKDAYS) or RELATIVE.fullmatch(value.strip()) is not None
    return isinstance(value, timedelta) or _is_numpy(value, "timedelta64")


def _parse(value: Any, as_of_ms: int | None, name: str, tz: str) -> int:
    if is_relative(value):
        if as_of_ms is None:
            raise UsageError(f"{name} {value!r} is relative to the time of the data, which is not known: give a date")
        return _parse_relative(value, as_of_ms, name, zone(tz))
    if (isinstance(value, int) and not isinstance(value, bool)) or _is_numpy(value, "integer"):
        return int(value)
    if _is_numpy(value, "datetime64") and value == value:
        return int(value.astype("datetime64[ms]").astype("int64"))
    if isinstance(value, str):
        month = MONTH.fullmatch(value.strip())
        if month and 1 <= int(month[2]) <= 12 and int(month[1]) > 0:
            first = date(int(month[1]), int(month[2]), 1)
            return _midnight(_next_month(first) if name == "until" else first, zone(tz))
    moment = _read(value, name)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def parse_span(text: str, name: str) -> float:
    """Return a span such as `5s`, `10m` or `2h` in seconds; a number alone is seconds. Raises UsageError."""
    match = SPAN.fullmatch(text.strip())
    seconds = float(match[1]) * SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= 366 * 86_400:
        raise UsageError(f"{name}: cannot read {text!r} as a span; write 5s, 10m or 2h")
    return seconds


def _read(value: Any, name: str) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            near = difflib.get_close_matches(_word(value), (*PERIODS, *WEEKDAYS), 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"{name}: cannot read {value!r} as a time; {hint}write 2026-11-24, '2026-11-24 22:00' (UTC), "
                "2026-11-24T22:00+01:00, 2026-11, a span before the data's time such as 30m, 24h, 7d, 2w, "
                "or yesterday, monday, last-week"
            ) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    if _is_numpy(value, "datetime64") or value != value:  # NaT, which pandas calls a datetime
        raise UsageError(f"{name}: {value} is not a time; give one, or leave {name} out")
    if not isinstance(value, datetime):
        raise UsageError(f"{name}: {value!r} is not a time; give a text, a datetime, or a whole number of ms")
    return value


def _parse_relative(value: Any, as_of_ms: int, name: str, calendar: tzinfo) -> int:
    if _is_numpy(value, "timedelta64"):
        if value != value:  # NaT
            raise UsageError(f"{name}: {value} is not a time; give one, or leave {name} out")
        return as_of_ms - int(value.astype("timedelta64[ms]").astype("int64"))
    if isinstance(value, timedelta):
        return as_of_ms - round(value / timedelta(milliseconds=1))
    word = _word(value)
    if span := RELATIVE.fullmatch(value.strip()):
        return as_of_ms - int(span[1]) * MS[span[2][0].lower()]
    today = datetime.fromtimestamp(as_of_ms / 1000, UTC).astimezone(calendar).date()
    if word in WEEKDAYS:
        return _midnight(today - timedelta(days=(today.weekday() - WEEKDAYS.index(word)) % 7), calendar)
    day, monday, first = timedelta(days=1), today - timedelta(days=today.weekday()), today.replace(day=1)
    begin, end = {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "this-week": (monday, monday + 7 * day),
        "last-week": (monday - 7 * day, monday),
        "this-month": (first, _next_month(first)),
        "last-month": ((first - day).replace(day=1), first),
    }[word]
    return _midnight(end if name == "until" else begin, calendar)


def _is_numpy(value: Any, kind: str) -> bool:
    """Tell whether a value is of a type of NumPy, which somebody has imported where there is one."""
    module = sys.modules.get("numpy")
    return module is not None and isinstance(value, getattr(module, kind))


def _word(text: str) -> str:
    return "-".join(text.lower().replace("_", "-").split())


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _midnight(day: date, calendar: tzinfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=calendar).timestamp() * 1000)


@dataclass(frozen=True)
class Every:
    """A period length: `n` minutes or hours, fixed in UTC, or one day, week or month of the calendar."""

    n: int
    unit: str

    @property
    def calendar(self) -> bool:
        """Whether it depends on the time zone."""
        return self.unit in ("d", "w", "mo")


def parse_period(text: str) -> Every:
    """Read `15min`, `6h`, `1d`, `1w` (from Monday) or `1mo`; raises UsageError for anything else."""
    match = EVERY.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match or (match[2] in ("d", "w", "mo") and match[1] != "1"):
        raise UsageError(f"every: cannot read {text!r}; write 15min, 6h (any number of these), 1d, 1w or 1mo")
    return Every(int(match[1]), match[2])


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raises UsageError where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError, TypeError):
        raise UsageError(f"tz: there is no time zone {name!r}; write a name such as UTC or Europe/Berlin") from None
