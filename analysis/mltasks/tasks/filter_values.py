"""Values of filters that no release knows: misspelt, unless some task has them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.tasks import schema
from mltasks.tasks.filters import EXACT, Filters
from mltasks.tasks.letter_case import fold
from mltasks.tasks.metadata import Context

RELEASED = {  # the values that releases know
    "state": tuple(schema.STATES),
    "task_type": schema.TASK_TYPES,
    "function_name": schema.FUNCTION_NAMES,
}


def check_values(chosen: Filters, ctx: Context, read_values: Callable[[str], Iterable[Any]]) -> None:
    """Raise UsageError for a value that no release knows and that no task has: it is misspelt.

    `read_values` returns the values of a column that there are; it is asked only about what no release knows.
    """
    for name, word in unknown_words(chosen):
        column = name.removeprefix("not_")
        values = {value for value in read_values(column) if isinstance(value, str)}
        if column == "cluster":
            values |= {reading.cluster for reading in ctx.readings if reading.cluster is not None}
        if word in {fold(value) for value in values}:
            continue
        there = sorted({*values, *RELEASED.get(column, ())})
        near = difflib.get_close_matches(word, [fold(value) for value in there], 1)
        if not near:
            near = [fold(value) for value in there if len(word) > 1 and word in fold(value)][:1]
        hint = next((f"did you mean {value}? " for value in there if near and fold(value) == near[0]), "")
        raise UsageError(f"{name}: no task has {word!r}; {hint}there are {', '.join(there) or 'none'}")


def unknown_words(chosen: Filters) -> list[tuple[str, str]]:
    """Return the values (filter, value) of exact filters that no release knows and nobody has met."""
    return [
        (name, word)
        for name in (*EXACT, "not_state", "not_task_type")
        for word in getattr(chosen, name)
        if (name, word) not in chosen.confirmed
        and word not in {fold(value) for value in RELEASED.get(name.removeprefix("not_"), ())}
    ]
