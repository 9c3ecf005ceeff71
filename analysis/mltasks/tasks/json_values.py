"""One JSON value to one cell: what to make of the shapes that old, foreign and hand-made documents hold.

A reader returns the cell and whether the value was readable. What was not is null, except that a text with half a
character in it keeps the rest. Every original is kept in `extra`, so that nothing is thrown away.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: JSON can write it, UTF-8 cannot
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999, which every engine can show
INT64 = 2**63

Cell = tuple[Any, bool]


class Verbatim(str):
    """JSON text as it came; it is not quoted again."""


@dataclass
class UnreadableCounts:
    """Counts what could not be read, by column, and keeps one sample of each; and hits of other indices, left out."""

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    other_indices: Counter[str] = field(default_factory=Counter)

    def unreadable(self, column: str, task_id: object, value: object) -> None:
        """Count one value; the first of a column becomes its sample."""
        self.counts[column] += 1
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
        self.samples.setdefault(column, f"task {task_id}: {shown[:60]!a}")

    def describe_left_out(self) -> str:
        """Say which hits were left out, or nothing."""
        names = ", ".join(f"{ascii(index)[1:-1]} ({n})" for index, n in sorted(self.other_indices.items()))
        n = self.other_indices.total()
        return f"{n} {'hit' if n == 1 else 'hits'} of other indices left out: {names}" if n else ""

    def add(self, other: UnreadableCounts) -> None:
        """Add what another one counted."""
        self.counts.update(other.counts)
        self.samples = {**other.samples, **self.samples}
        self.other_indices.update(other.other_indices)


def verbatim(raw: bytes) -> Verbatim:
    """Return JSON as it came, as a text; bytes that are no UTF-8 become escapes in it, so that it can be written."""
    try:
        return Verbatim(raw.decode())
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
        return Verbatim(SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text))


def json_text(value: Any) -> str | None:
    """Return a value as JSON text in ASCII, in which every string can be written; null stays null."""
    return None if value is None else json.dumps(value, separators=(",", ":"), default=str)


def parse_object(text: str | None) -> dict[str, Any]:
    """Return the object in a JSON text; an empty one where there is none."""
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def text(value: Any) -> Cell:
    """Read a text; a number, flag, list or object becomes its JSON text."""
    if value is None:
        return None, True
    if not isinstance(value, str):
        return json_text(value), True
    clean = SURROGATE.sub("\ufffd", value)
    return clean, clean == value


def free_form(value: Any) -> Cell:
    """Read a free-form object, which is kept as JSON text."""
    if isinstance(value, str):
        return text(value)
    return json_text(value), True


def time(value: Any) -> Cell:
    """Read a time to ms since 1970: epoch milliseconds, or ISO 8601 (without an offset it is UTC)."""
    if value is None:
        return None, True
    ms = _epoch(value)
    if ms is None and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return None, False
        ms = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if ms is None or not FIRST_MS <= ms <= LAST_MS:
        return None, False
    return ms, True


def _epoch(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{5,16}(\.0+)?", value):  # four digits are a year
        return int(value.partition(".")[0])
    return None


def flag(value: Any) -> Cell:
    """Read a flag: true, false, or these as text."""
    if value is None or isinstance(value, bool):
        return value, True
    value_of_word = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None
    return value_of_word, value_of_word is not None


def number(value: Any) -> Cell:
    """Read a finite number, or one written as text."""
    if value is None:
        return None, True
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, False
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None, False
    return (result, True) if math.isfinite(result) else (None, False)


def integer(value: Any) -> Cell:
    """Read a whole number of 64 bits, or one written as text or as `7.0`."""
    if value is None:
        return None, True
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, True) if -INT64 <= value < INT64 else (None, False)
    result, readable = number(value)
    if readable and result.is_integer() and abs(result) < 2**53:
        return int(result), True
    return None, False
