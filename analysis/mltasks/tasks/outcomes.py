"""What a state means: the outcome of a task; a state that this version does not know is open."""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw

from mltasks.tasks import schema
from mltasks.tasks.conditions import any_of

OUTCOME = {name: code for code, name in enumerate(schema.OUTCOMES)}
OPEN, UNKNOWN = OUTCOME[schema.OPEN], len(OUTCOME)  # from OPEN on a task is open; UNKNOWN: its state is not known
CODES_OF_STATES = {state: OUTCOME[meaning] for state, meaning in schema.STATES.items()}


def has_outcome(*names: str) -> nw.Expr:
    """Tell which tasks have one of some outcomes."""
    code = nw.col("outcome_code")
    return any_of(code >= OPEN if name == schema.OPEN else code == OUTCOME[name] for name in names)


def outcome() -> nw.Expr:
    """Return the name of the outcome."""
    return write_names("outcome_code", schema.OUTCOMES[:OPEN], schema.OPEN)


def write_names(code: str, names: Iterable[str], otherwise: str) -> nw.Expr:
    """Return the name of each code; `otherwise` for a code that has none."""
    expression: nw.Expr = nw.lit(otherwise)
    for place, name in enumerate(names):
        expression = nw.when(nw.col(code) == place).then(nw.lit(name)).otherwise(expression)
    return expression
