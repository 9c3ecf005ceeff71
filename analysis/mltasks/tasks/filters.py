"""Which tasks are chosen: filters as values, alike for a cluster, a file and every frame."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import narwhals as nw

from mltasks.tasks import outcomes
from mltasks.tasks.conditions import any_of
from mltasks.tasks.filter_conditions import NodeNames, Window, contains, is_in, match_names, window_conditions
from mltasks.tasks.filter_declarations import EXACT, FILTERS, WORDS
from mltasks.tasks.letter_case import fold, has_any
from mltasks.tasks.metadata import to_iso
from mltasks.tasks.redact_secrets import mask_login

Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


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
        """Return the filters that are set, for people and for JSON; times are ISO 8601, a login in a word is masked."""
        moments = {"since": to_iso(self.since_ms), "until": to_iso(self.until_ms)}
        words = {name: [*map(mask_login, getattr(self, name))] for name in WORDS if getattr(self, name)}
        return {name: value for name, value in moments.items() if value} | words

    def expression(self, names: NodeNames, models: Mapping[str, str], *, window: Window = "created") -> nw.Expr | None:
        """Return the condition on what `derived.derive` gives, or None where nothing is filtered.

        `window`: since and until select the tasks created between them, or those in flight at any time between
        them. `names` and `models` are ids -> names, so that a word may be either; ids of nodes are those of a cluster.
        """
        conditions = [*window_conditions(self.since_ms, self.until_ms, window)]
        for name in EXACT:
            if words := getattr(self, name):
                conditions.append(is_in(name, words))
        if self.outcome:
            conditions.append(outcomes.has_outcome(*self.outcome))
        for each in FILTERS:
            if each.kind == "contains" and (words := getattr(self, each.name)):
                ids = [key for key, label in models.items() if each.name == "model" and has_any(label, words)]
                texts = [*words, *map(fold, ids)]
                matches = [contains(column, text) for text in texts for column in each.columns]
                conditions.append(any_of([*matches, *(match_names(names, words) if each.name == "node" else [])]))
        conditions += [~outcomes.has_outcome(outcome) for outcome in self.not_outcome]
        for name in ("state", "task_type"):
            if words := getattr(self, f"not_{name}"):
                conditions.append(
                    ~nw.when(nw.col(name).is_null()).then(nw.lit(value=False)).otherwise(is_in(name, words))
                )
        return functools.reduce(operator.and_, conditions) if conditions else None

    def apply(self, frame: Frame, names: NodeNames, models: Mapping[str, str], *, window: Window = "created") -> Frame:
        """Return the rows of a frame that pass; see `expression`."""
        condition = self.expression(names, models, window=window)
        return frame if condition is None else frame.filter(condition)


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
