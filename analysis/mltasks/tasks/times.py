"""Times as people write them: `2026-11-24 22:00`, `7d`, and calendar periods such as `1w`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from mltasks.exceptions import UsageError
from mltasks.tasks import json_values

MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
RELATIVE = re.compile(r"([0-9]+)\s*([mhdw])")
EVERY = re.compile(r"([1-9][0-9]*)(min|h|d|w|mo)")
Moment = str | date | datetime | int | None


def parse_time(value: Moment, as_of_ms: int | None, name: str) -> int | None:
    """Return a time in ms since 1970, UTC.

    `value` is absolute (a text as in ISO 8601, a date or a datetime; without an offset it is UTC; a whole number
    is ms) or relative to `as_of_ms` (`30m`, `24h`, `7d`, `2w`: so long before). Raises UsageError naming `name`.
    """
    if value is None:
        return None
    ms = _read(value, as_of_ms, name)
    if not json_values.FIRST_MS <= ms <= json_values.LAST_MS:
        raise UsageError(f"{name}: {value!r} lies outside the years 1 to 9999; give a time of the data")
    return ms


def _read(value: str | date | datetime | int, as_of_ms: int | None, name: str) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    elif found := RELATIVE.fullmatch(value.strip()):
        if as_of_ms is None:
            raise UsageError(f"{name} {value!r} is relative to the time of the data, which is not known: give a date")
        return as_of_ms - int(found[1]) * MS[found[2]]
    else:
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise UsageError(
                f"{name}: cannot read {value!r} as a time; write 2026-11-24, '2026-11-24 22:00' (UTC), "
                "2026-11-24T22:00+01:00, or a span before the data's time such as 30m, 24h, 7d, 2w"
            ) from None
    if moment != moment:  # pandas' NaT, a datetime by its class
        raise UsageError(f"{name}: {value} is no time; give one, or leave {name} out")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


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
    found = EVERY.fullmatch(text.strip())
    if not found or (found[2] in ("d", "w", "mo") and found[1] != "1"):
        raise UsageError(f"every: cannot read {text!r}; write 15min, 6h (any number of these), 1d, 1w or 1mo")
    return Every(int(found[1]), found[2])


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raises UsageError where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UsageError(f"tz: there is no time zone {name!r}; write a name such as UTC or Europe/Berlin") from None
