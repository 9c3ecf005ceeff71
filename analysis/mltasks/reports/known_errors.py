"""What known error texts mean and what to do: from `known_errors.toml`, and from a file of the user's."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from mltasks.exceptions import UsageError

PATH = Path(__file__).with_name("known_errors.toml")
FIELDS = ("match", "cause", "means", "remedy", "text")
UNKNOWN = "unknown"


class KnownError(NamedTuple):
    """One kind of error; `match` is searched in the masked text, `text` is shown in its place."""

    match: re.Pattern[str]
    cause: str
    means: str
    remedy: str
    text: str | None


NO_ERROR = KnownError(re.compile(""), UNKNOWN, "", "", None)


def find_known_error(masked: str | None, errors: tuple[KnownError, ...]) -> KnownError:
    """Return the first of the known errors that a masked text is one of; the cause of others is `unknown`."""
    if masked is None:
        return NO_ERROR
    return next((error for error in errors if error.match.search(masked)), NO_ERROR)


@lru_cache(maxsize=8)
def load_known_errors(path: str | None = None) -> tuple[KnownError, ...]:
    """Return the known errors, those of the user's file before ours; raises UsageError for a file that is none."""
    ours = _read(PATH)
    return ours if path is None else (*_read(Path(path)), *ours)


def _read(path: Path) -> tuple[KnownError, ...]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"known: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"known: {path} is no TOML: {error}; write [[error]] entries with match and means") from None
    entries = content.get("error")
    if set(content) - {"error"} or not isinstance(entries, list) or not entries:
        raise UsageError(f"known: {path} has no [[error]] entries; write some with match, cause, means and remedy")
    return tuple(_parse(entry, f"known: {path}, error {place}") for place, entry in enumerate(entries, 1))


def _parse(entry: Any, place: str) -> KnownError:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise UsageError(f"{place}: every value is a text in quotes")
    if strange := sorted(set(entry) - set(FIELDS)):
        raise UsageError(f"{place}: there is no {strange[0]!r}; there are {', '.join(FIELDS)}")
    if not entry.get("match"):
        raise UsageError(f"{place}: match is missing; give a regular expression that is searched in the masked text")
    try:
        pattern = re.compile(entry["match"])
    except re.error as error:
        raise UsageError(f"{place}: match {entry['match']!r} is no regular expression: {error}") from None
    means, remedy = entry.get("means", ""), entry.get("remedy", "")
    return KnownError(pattern, entry.get("cause", UNKNOWN), means, remedy, entry.get("text"))
