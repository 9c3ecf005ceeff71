"""The words of filters, the same in Python and as flags, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from mltasks.tasks import filter_words, keywords, times
from mltasks.tasks.filter_declarations import WORDS
from mltasks.tasks.filters import Filters

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
    times.check_window(since, until)
    if isinstance(begin, TimeBefore) and since is not None:
        since -= max((as_of_ms or since if until is None else until) - since, 0)
    words: dict[str, Any] = filter_words.parse_filters(options)
    return Filters(since, until, **words)


def loosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return filter options that select at least as much, whatever later time relative ones will count from."""
    return {name: value for name, value in options.items() if name != "until" or not times.is_relative(value)}
