"""Values as they came, to Arrow columns of the task table's types; what cannot be read is null, counted and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import arrow_schema, json_values, node_lists, schema
from mltasks.tasks.json_values import Cell, UnreadableCounts
from mltasks.tasks.schema import Kind

READERS: dict[Kind, Callable[[Any], Cell]] = {
    "text": json_values.text,
    "json": json_values.free_form,
    "nodes": node_lists.nodes,
    "time": json_values.time,
    "flag": json_values.flag,
    "number": json_values.number,
    "integer": json_values.integer,
}
Extra = defaultdict[int, dict[str, Any]]  # row -> field -> value


def read_column(
    column: schema.Column,
    values: list[Any],
    ids: Sequence[Any],
    tally: UnreadableCounts,
    extra: Extra,
    field: str | None = None,
) -> pa.Array:
    """Return an Arrow array of a column's type; values that cannot be read are null, counted, and go to `extra`.

    `field` is their name there, where it is another than the column's.
    """
    fast = _fast_column(column, values)
    if fast is not None:
        return fast
    read = READERS[column.kind]
    out = []
    for row, value in enumerate(values):
        cell, readable = read(value)
        out.append(cell)
        if not readable:
            tally.unreadable(column.name, ids[row], value)
            extra[row][field or column.name] = value
    return pa.array(out, column.type)


def _fast_column(column: schema.Column, values: list[Any]) -> pa.Array | None:
    """Convert a column whose values all have the usual JSON type; None where one has not."""
    try:
        match column.kind:
            case "nodes":
                return _fast_nodes(values)
            case "time" | "integer":
                return _fast_integers(column, values)
            case "number" if bool in set(map(type, values)):  # which Arrow would take for 0 and 1
                return None
        return pa.array(values, column.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _fast_integers(column: schema.Column, values: list[Any]) -> pa.Array | None:
    array = pa.array(values)  # the type that Arrow finds is the check: told one, it would cut 1.5 and take true for 1
    if pa.types.is_null(array.type):
        return array.cast(column.type)
    if array.type != pa.int64():
        return None
    if column.kind == "time":
        first, last = pc.min_max(array).as_py().values()
        if first < json_values.FIRST_MS or last > json_values.LAST_MS:
            return None
    return array.cast(column.type)


def _fast_nodes(values: list[Any]) -> pa.Array | None:
    if set(map(type, values)) - {list}:  # Arrow would take a text for a list of its letters
        return None
    array = pa.array(values, arrow_schema.ARROW["nodes"])
    return array if node_lists.are_tidy(array) else None


def extra_text(fields: dict[str, Any] | None) -> str | None:
    """Return the text of the column `extra`: a JSON object, or null."""
    if not fields:
        return None
    parts = (f"{json_values.json_text(name)}:{_value_text(value)}" for name, value in fields.items())
    return "{" + ",".join(parts) + "}"


def _value_text(value: Any) -> str:
    return value if isinstance(value, json_values.Verbatim) else json_values.json_text(value) or "null"
