"""JSON that msgspec refuses, as the standard library reads it; and what of it an error message may show."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

REFUSED = (msgspec.DecodeError, UnicodeDecodeError)


def loads(raw: bytes) -> Any:
    """Parse JSON as the standard library does; a number that Python cannot hold stays the text it was.

    Raises ValueError, and RecursionError where it is nested deeper than Python follows.
    A byte that is no UTF-8 becomes half a character, as JSON's escapes can write it.
    """
    text = raw.decode("utf-8", "surrogateescape")
    return json.loads(text, parse_int=_int, parse_float=_float, parse_constant=str)


def _int(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # of more digits than Python converts
        return text


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def excerpt(body: bytes, length: int = 120) -> str:
    """Return the beginning of a body for an error message, on one line and harmless."""
    text = " ".join(body[: length * 2].decode("utf-8", "replace").split())
    return ascii(text[:length])[1:-1] + ("..." if len(text) > length else "")
