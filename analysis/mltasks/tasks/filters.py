"""Which tasks: the same words in Python and as flags, pushed down to a cluster and applied again to every frame."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, TypeVar

import narwhals as nw

from mltasks.exceptions import UsageError
from mltasks.tasks import derived, keywords, schema, times
from mltasks.tasks.conditions import any_of
from mltasks.tasks.filter_table import FILTERS, WORDS
from mltasks.tasks.metadata import to_iso

NodeNames = Mapping[tuple[str | None, str], str]  # (cluster, node id) -> node name
Words = str | Sequence[str] | None
Window = Literal["created", "in_flight"]  # what since and until select by
Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])
EXACT = tuple(each.name for each in FILTERS if each.kind == "exact")


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
class Filters:
    """Filters, read: texts folded, times in ms. Windows are half-open: since <= time < until.

    `confirmed`: (filter, value) that some task is known to have, though it was not read.
    """

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
    confirmed: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)

    def __bool__(self) -> bool:
        """Whether anything is filtered at all."""
        return self != Filters()

    def describe(self) -> dict[str, Any]:
        """Return the filters that are set, for people and for JSON; times are ISO 8601."""
        moments = {"since": to_iso(self.since_ms), "until": to_iso(self.until_ms)}
        words = {name: list(getattr(self, name)) for name in WORDS if getattr(self, name)}
        return {name: value for name, value in moments.items() if value} | words

    def expression(self, names: NodeNames, models: Mapping[str, str], *, window: Window = "created") -> nw.Expr | None:
        """Return the condition on what `derived.derive` gives, or None where nothing is filtered.

        `window`: since and until select the tasks created between them, or those in flight at any time between
        them. `names` and `models` are ids -> names, so that a word may be either; ids of nodes are those of a cluster.
        """
        conditions = [*_window_conditions(self.since_ms, self.until_ms, window)]
        for name in EXACT:
            if words := getattr(self, name):
                conditions.append(_is_in(name, words))
        if self.outcome:
            conditions.append(derived.has_outcome(*self.outcome))
        for each in FILTERS:
            if each.kind == "contains" and (words := getattr(self, each.name)):
                ids = [key for key, label in models.items() if each.name == "model" and _has_any(label, words)]
                texts = [*words, *map(fold, ids)]
                matches = [_contains(column, text) for text in texts for column in each.columns]
                conditions.append(any_of([*matches, *(_match_names(names, words) if each.name == "node" else [])]))
        conditions += [~derived.has_outcome(outcome) for outcome in self.not_outcome]
        for name in ("state", "task_type"):
            if words := getattr(self, f"not_{name}"):
                conditions.append(
                    ~nw.when(nw.col(name).is_null()).then(nw.lit(value=False)).otherwise(_is_in(name, words))
                )
        return functools.reduce(operator.and_, conditions) if conditions else None

    def apply(self, frame: Frame, names: NodeNames, models: Mapping[str, str], *, window: Window = "created") -> Frame:
        """Return the rows of a frame that pass; see `expression`."""
        condition = self.expression(names, models, window=window)
        return frame if condition is None else frame.filter(condition)


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


def fold(text: str) -> str:
    """Return a text in lower case, letter by letter, so that every engine can do the same.

    The dotted capital I becomes i (its own lower case has two letters), and a final sigma is a sigma.
    """
    return "".join("σ" if char == "ς" else "i" if char == "İ" else char.lower() for char in text)


def with_confirmed(chosen: Filters, others: Iterable[Filters]) -> Filters:
    """Return filters that also know the values which the readings of some sources have confirmed."""
    return replace(chosen, confirmed=frozenset(pair for each in others for pair in each.confirmed))


def combine(before: Filters, chosen: Filters) -> Filters:
    """Return both filters as one, for telling what was selected: the narrower window, the words of both."""
    since = [ms for ms in (before.since_ms, chosen.since_ms) if ms is not None]
    until = [ms for ms in (before.until_ms, chosen.until_ms) if ms is not None]
    words = {name: getattr(before, name) + getattr(chosen, name) for name in WORDS}
    confirmed = before.confirmed | chosen.confirmed
    return Filters(max(since, default=None), min(until, default=None), **words, confirmed=confirmed)


def merge_descriptions(before: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return two descriptions as one: what was selected when the tasks were read stays part of what they cover."""
    merged = {**before, **chosen}
    for name in before.keys() & chosen.keys():
        if name in ("since", "until"):
            merged[name] = max(before[name], chosen[name]) if name == "since" else min(before[name], chosen[name])
        elif isinstance(before[name], list) and isinstance(chosen[name], list):
            merged[name] = list(dict.fromkeys([*before[name], *chosen[name]]))
    return merged


def outcomes(words: Iterable[str], name: str = "outcome") -> tuple[str, ...]:
    """Return outcomes by name; `completed` stands for succeeded and partial."""
    names = tuple(o for word in words for o in (schema.COMPLETED if word == "completed" else (word,)))
    for word in names:
        if word not in schema.OUTCOMES:
            raise UsageError(f"{name}: there is no outcome {word!r}; there are {', '.join(schema.OUTCOMES)}, completed")
    return names


def _window_conditions(since: int | None, until: int | None, window: Window) -> list[nw.Expr]:
    start, end = nw.col("start_ms"), nw.col("end_ms")
    conditions = []
    if since is not None:
        alive = ~start.is_null() & ((start >= since) | (end > since))
        conditions.append(alive if window == "in_flight" else start >= since)
    if until is not None:
        conditions.append(start < until)
    return conditions


def _is_in(column: str, words: Sequence[str]) -> nw.Expr:
    return _fold(column, words).is_in(words)


def _contains(column: str, word: str) -> nw.Expr:
    is_contained = _fold(column, [word]).str.contains(word, literal=True)
    return nw.when(nw.col(column).is_null()).then(nw.lit(value=False)).otherwise(is_contained)


def nodes_of_name(names: NodeNames, words: Sequence[str]) -> list[tuple[str | None, str]]:
    """Return the nodes (cluster, id) whose name contains one of some words; cluster None: wherever the id is."""
    ids_named = [key for key, name in names.items() if _has_any(name, words)]
    ids = [node for _, node in names]
    return [(cluster if ids.count(node) > 1 else None, node) for cluster, node in ids_named]


def _match_names(names: NodeNames, words: Sequence[str]) -> list[nw.Expr]:
    """Return a condition for each node whose name contains one of some words."""
    conditions = []
    for cluster, node in nodes_of_name(names, words):
        matches = _contains("nodes_text", fold(node))
        conditions.append(matches if cluster is None else matches & (nw.col("cluster") == cluster))
    return conditions


def _has_any(text: str, words: Sequence[str]) -> bool:
    return any(word in fold(text) for word in words)


def _fold(column: str, words: Sequence[str]) -> nw.Expr:
    """Return a column as `fold` does; letters that none of the words has are left as they may be."""
    letters = set("".join(words))
    text = nw.col(column)
    if "i" in letters or "\u0307" in letters:
        text = text.str.replace_all("İ", "i", literal=True)
    text = text.str.to_lowercase()
    return text.str.replace_all("ς", "σ", literal=True) if "σ" in letters else text
