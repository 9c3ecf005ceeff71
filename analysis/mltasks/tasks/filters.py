"""Which tasks: the same words in Python and as flags, pushed down to a cluster and applied again to every frame."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict, TypeVar

import narwhals as nw

from mltasks.exceptions import UsageError
from mltasks.tasks import derived, schema, times
from mltasks.tasks.conditions import any_of
from mltasks.tasks.metadata import to_iso

Words = str | Sequence[str] | None
Window = Literal["created", "in_flight"]  # what since and until select by
Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])
EXACT = ("cluster", "state", "task_type", "function_name")
CONTAINED = {"node": "nodes_text", "model": "model_id"}


class RateOptions(TypedDict, total=False):
    """Filters that leave a failure rate what it is; each word may be one text or several, in any case."""

    since: times.Moment
    until: times.Moment
    cluster: Words
    task_type: Words
    function_name: Words
    node: Words
    model: Words
    error: Words
    not_task_type: Words


class DurationOptions(RateOptions, total=False):
    """Filters of `durations`, whose own `outcome` says what it measures."""

    state: Words
    not_state: Words
    not_outcome: Words


class FilterOptions(DurationOptions, total=False):
    """All filters."""

    outcome: Words


@dataclass(frozen=True)
class Filters:
    """Filters, read: texts in lower case, times in ms. Windows are half-open: since <= time < until."""

    since_ms: int | None = None
    until_ms: int | None = None
    cluster: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    task_type: tuple[str, ...] = ()
    function_name: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    not_state: tuple[str, ...] = ()
    not_outcome: tuple[str, ...] = ()
    not_task_type: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is filtered at all."""
        return self != Filters()

    def describe(self) -> dict[str, Any]:
        """Return the filters that are set, for people and for JSON; times are ISO 8601."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        moments = {"since": to_iso(self.since_ms), "until": to_iso(self.until_ms)}
        words = {name: list(value) for name, value in found.items() if isinstance(value, tuple) and value}
        return {name: value for name, value in moments.items() if value} | words

    def expression(
        self, names: Mapping[str, str], models: Mapping[str, str], *, window: Window = "created"
    ) -> nw.Expr | None:
        """Return the condition on what `derived.derive` gives, or None where nothing is filtered.

        `window`: since and until select the tasks created between them, or those in flight at any time between
        them. `names` and `models` are ids -> names, so that a word may be either.
        """
        conditions = [*_window_conditions(self.since_ms, self.until_ms, window)]
        for name in EXACT:
            if words := getattr(self, name):
                conditions.append(_lower(name).is_in(words))
        if self.outcome:
            conditions.append(derived.has_outcome(*self.outcome))
        for name, known in (("node", names), ("model", models)):
            if words := getattr(self, name):
                ids = [key.lower() for key, label in known.items() if any(word in label.lower() for word in words)]
                conditions.append(any_of(_contains(CONTAINED[name], word) for word in (*words, *ids)))
        if self.error:
            conditions.append(any_of(_contains(column, w) for w in self.error for column in ("error", "reason")))
        conditions += [~derived.has_outcome(outcome) for outcome in self.not_outcome]
        for name in ("state", "task_type"):
            if words := getattr(self, f"not_{name}"):
                conditions.append(
                    ~nw.when(nw.col(name).is_null()).then(nw.lit(value=False)).otherwise(_lower(name).is_in(words))
                )
        return functools.reduce(operator.and_, conditions) if conditions else None

    def apply(
        self, frame: Frame, names: Mapping[str, str], models: Mapping[str, str], *, window: Window = "created"
    ) -> Frame:
        """Return the rows of a frame that pass; see `expression`."""
        condition = self.expression(names, models, window=window)
        return frame if condition is None else frame.filter(condition)


def parse(options: Mapping[str, Any], as_of_ms: int | None) -> Filters:
    """Read filter options; raises UsageError for a word, a time or an outcome that cannot be read."""
    names = ["since", "until", *(f.name for f in fields(Filters)[2:])]
    if unknown := options.keys() - set(names):
        raise UsageError(f"unknown filter {', '.join(sorted(unknown))!r}; there are {', '.join(names)}")
    since = times.parse_time(options.get("since"), as_of_ms, "since")
    until = times.parse_time(options.get("until"), as_of_ms, "until")
    if since is not None and until is not None and since >= until:
        raise UsageError(f"since {to_iso(since)} is not before until {to_iso(until)}; swap them")
    words: dict[str, tuple[str, ...]] = {}
    for name, value in options.items():
        if name not in ("since", "until") and value is not None:
            words[name] = _words(value, name)
    for name in ("outcome", "not_outcome"):
        if name in words:
            words[name] = outcomes(words[name], name)
    return Filters(since, until, **words)


def _words(value: Any, name: str) -> tuple[str, ...]:
    texts = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"{name}: {text!r} is no text; give one text or a list of texts")
    return tuple(dict.fromkeys(text.lower() for text in texts))


def combine(before: Filters, chosen: Filters) -> Filters:
    """Return both filters as one, for telling what was selected: the narrower window, the words of both."""
    since = [ms for ms in (before.since_ms, chosen.since_ms) if ms is not None]
    until = [ms for ms in (before.until_ms, chosen.until_ms) if ms is not None]
    words = {f.name: getattr(before, f.name) + getattr(chosen, f.name) for f in fields(Filters)[2:]}
    return Filters(max(since, default=None), min(until, default=None), **words)


def merge_descriptions(before: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return two descriptions as one: what was selected when the tasks were read stays part of what they cover."""
    found = {**before, **chosen}
    for name in before.keys() & chosen.keys():
        if name in ("since", "until"):
            found[name] = max(before[name], chosen[name]) if name == "since" else min(before[name], chosen[name])
        elif isinstance(before[name], list) and isinstance(chosen[name], list):
            found[name] = list(dict.fromkeys([*before[name], *chosen[name]]))
    return found


def outcomes(words: Iterable[str], name: str = "outcome") -> tuple[str, ...]:
    """Return outcomes by name; `completed` stands for succeeded and partial."""
    found = tuple(o for word in words for o in (schema.COMPLETED if word == "completed" else (word,)))
    for word in found:
        if word not in schema.OUTCOMES:
            raise UsageError(f"{name}: there is no outcome {word!r}; there are {', '.join(schema.OUTCOMES)}, completed")
    return found


def _window_conditions(since: int | None, until: int | None, window: Window) -> list[nw.Expr]:
    start, end = nw.col("start_ms"), nw.col("end_ms")
    conditions = []
    if since is not None:
        alive = ~start.is_null() & ((start >= since) | (end > since))
        conditions.append(alive if window == "in_flight" else start >= since)
    if until is not None:
        conditions.append(start < until)
    return conditions


def _lower(column: str) -> nw.Expr:
    return nw.col(column).str.to_lowercase()


def _contains(column: str, word: str) -> nw.Expr:
    found = _lower(column).str.contains(word, literal=True)
    return nw.when(nw.col(column).is_null()).then(nw.lit(value=False)).otherwise(found)
