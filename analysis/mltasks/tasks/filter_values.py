"""Values of filters that nothing has: misspelt, where no release knows them, or no node or model is called so.

It imports nothing heavy: what the tasks of a source have may be known without reading them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mltasks.exceptions import UsageError
from mltasks.tasks import schema
from mltasks.tasks.filter_declarations import EXACT, WORDS
from mltasks.tasks.letter_case import fold, has_any
from mltasks.tasks.metadata import Context

if TYPE_CHECKING:
    from mltasks.tasks.filters import Filters

RELEASED = {  # the values that releases know
    "state": tuple(schema.STATES),
    "task_type": schema.TASK_TYPES,
    "function_name": schema.FUNCTION_NAMES,
}

LISTED = 8  # names in an error
Words = Mapping[str, tuple[str, ...]]  # filter -> its words
Confirmed = frozenset[tuple[str, str]]  # (filter, word) that is known to be there


def check_values(chosen: Filters, ctx: Context, read_values: Callable[[str], Iterable[Any]]) -> None:
    """Raise UsageError for a value that no release knows and that no task has: it is misspelt.

    So it is for a node or a model, where their names were read: part of no name, and of no id in the tasks.
    `read_values` returns the values of a column that there are; it is asked only about what is not known without.
    """
    check_words({name: getattr(chosen, name) for name in WORDS}, ctx, read_values, chosen.confirmed)


def check_words(
    words: Words, ctx: Context, read_values: Callable[[str], Iterable[Any]], confirmed: Confirmed = frozenset()
) -> None:
    """Raise UsageError as `check_values` does, for folded words by the name of their filter."""
    nodes, models = words.get("node", ()), words.get("model", ())
    _check_names("node", nodes, confirmed, _node_names(ctx), lambda: _split(read_values("nodes_text")))
    _check_names("model", models, confirmed, ctx.models(), lambda: read_values("model_id"))
    for name, word in _unknown(words, confirmed):
        column = name.removeprefix("not_")
        values = {value for value in read_values(column) if isinstance(value, str)}
        if column == "cluster":
            values |= {reading.cluster for reading in ctx.readings if reading.cluster is not None}
        if word in {fold(value) for value in values}:
            continue
        there = sorted({*values, *RELEASED.get(column, ())})
        raise UsageError(f"{name}: no task has {word!r}; {_suggest(word, there)}there are {', '.join(there) or 'none'}")


def _check_names(
    name: str,
    words: Iterable[str],
    confirmed: Confirmed,
    names: Mapping[str, str],
    read_ids: Callable[[], Iterable[Any]],
) -> None:
    """Raise UsageError for a word that is part of no id and of no name (by id).

    Where no names were read, it may be one. The ids in the tasks are read only where a word is part of no name.
    """
    if not names:
        return
    labels = [text for pair in names.items() for text in pair]
    doubtful = [word for word in words if (name, word) not in confirmed]
    doubtful = [word for word in doubtful if not any(has_any(label, [word]) for label in labels)]
    if not doubtful:
        return
    ids = {value for value in read_ids() if isinstance(value, str)}
    for word in doubtful:
        if any(has_any(value, [word]) for value in ids):
            continue
        there = sorted({*(names.get(key, key) for key in ids), *names.values()})
        hint = _suggest(word, there)
        rest = f" and {len(there) - LISTED:,} more" if len(there) > LISTED else ""
        raise UsageError(f"{name}: no {name} is called {word!r}; {hint}there are {', '.join(there[:LISTED])}{rest}")


def _node_names(ctx: Context) -> dict[str, str]:
    return {key: name or key for key, name in ctx.names().items()}


def _split(texts: Iterable[Any]) -> list[str]:
    joined = [*texts]
    if not joined:
        return []
    from mltasks.tasks import node_lists  # only now, since it imports Arrow

    return [node for text in joined for node in node_lists.split_nodes(text)]


def _suggest(word: str, there: Iterable[str]) -> str:
    """Return a question for the value that is nearest to a word; nothing where none is near."""
    by_folded = {fold(value): value for value in there}
    near = difflib.get_close_matches(word, by_folded, 1)
    if not near and len(word) > 1:
        near = [folded for folded in by_folded if word in folded][:1]
    return f"did you mean {by_folded[near[0]]}? " if near else ""


def confirm_names(chosen: Filters) -> Filters:
    """Return filters whose nodes and models are taken as there: for rows that are only some of the source's."""
    names = {(name, word) for name in ("node", "model") for word in getattr(chosen, name)}
    return replace(chosen, confirmed=chosen.confirmed | names)


def unknown_words(chosen: Filters) -> list[tuple[str, str]]:
    """Return the values (filter, value) of exact filters that no release knows and nobody has met."""
    return _unknown({name: getattr(chosen, name) for name in WORDS}, chosen.confirmed)


def _unknown(words: Words, confirmed: Confirmed) -> list[tuple[str, str]]:
    return [
        (name, word)
        for name in (*EXACT, "not_state", "not_task_type")
        for word in words.get(name, ())
        if (name, word) not in confirmed
        and word not in {fold(value) for value in RELEASED.get(name.removeprefix("not_"), ())}
    ]
