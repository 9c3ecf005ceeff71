"""The words of filters, the same in Python and as flags, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from mltasks.exceptions import UsageError
from mltasks.tasks import keywords, schema, times
from mltasks.tasks.filter_declarations import FILTERS, WORDS
from mltasks.tasks.filters import Filters
from mltasks.tasks.letter_case import fold
from mltasks.tasks.metadata import to_iso

Words = str | Sequence[str] | None


class RateOptions(TypedDict, total=False):
    """Filters that leave a failure rate what it is; each word may be one text or several, in any case."""

    since: times.Moment
    until: times.Moment
    cluster: Words
    task_type: Words
    function_name: Words
    node: Words
    model: Words
    not_task_type: Words


class DurationOptions(RateOptions, total=False):
    """Filters of `durations`, whose own `outcome` says what it measures."""

    error: Words
    state: Words
    not_state: Words
    not_outcome: Words


class FilterOptions(DurationOptions, total=False):
    """All filters."""

    outcome: Words
    tz: str


@dataclass(frozen=True)
class TimeBefore:
    """A `since` that also takes as long a time before it, to compare with."""

    since: times.Moment


def with_time_before(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return filter options that also select as long a time before their `since`, where they have one."""
    since = options.get("since")
    return {**options, **({} if since is None else {"since": TimeBefore(since)})}


def parse(options: Mapping[str, Any], as_of_ms: int | None) -> Filters:
    """Read filter options; raises UsageError for a word, a time or an outcome that cannot be read.

    Relative times count back from `as_of_ms`; days, weeks and months are those of the calendar in the option `tz`.
    """
    keywords.reject_unknown("filters", options, ("since", "until", *WORDS, "tz"))
    tz = options.get("tz") or "UTC"
    begin = options.get("since")
    since = times.parse_time(begin.since if isinstance(begin, TimeBefore) else begin, as_of_ms, "since", tz)
    until = times.parse_time(options.get("until"), as_of_ms, "until", tz)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"since {to_iso(since)} is not before until {to_iso(until)}; swap them")
    if isinstance(begin, TimeBefore) and since is not None:
        since -= max((as_of_ms or since if until is None else until) - since, 0)
    words: dict[str, Any] = {}
    for name, value in options.items():
        if name in WORDS and value is not None:
            words[name] = _parse_words(value, name)
    for name in ("outcome", "not_outcome"):
        if name in words:
            words[name] = outcomes(words[name], name)
    return Filters(since, until, **words)


def loosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return filter options that select at least as much, whatever later time relative ones will count from."""
    return {name: value for name, value in options.items() if name != "until" or not times.is_relative(value)}


def outcomes(words: Iterable[str], name: str = "outcome") -> tuple[str, ...]:
    """Return outcomes by name; `completed` stands for succeeded and partial."""
    names = tuple(o for word in words for o in (schema.COMPLETED if word == "completed" else (word,)))
    for word in names:
        if word not in schema.OUTCOMES:
            raise UsageError(f"{name}: there is no outcome {word!r}; there are {', '.join(schema.OUTCOMES)}, completed")
    return names


def _parse_words(value: Any, name: str) -> tuple[str, ...]:
    texts = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"{name}: {text!r} is not a text; give one text or a list of texts")
    if next((each.takes_commas for each in FILTERS if each.name == name), True):
        parts = [part.strip() if "," in text else part for text in texts for part in text.split(",")]
        texts = [part for part in parts if part] or parts[:1]
    if "" in texts and name != "cluster":  # a cluster may be called so
        raise UsageError(f"{name}: the value is empty; give one, or leave {name} out")
    return tuple(dict.fromkeys(map(fold, texts)))
