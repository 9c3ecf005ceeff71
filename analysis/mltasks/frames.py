"""Anybody's frame of tasks to the stored columns: what users do to a table must not break it.

Own columns stay beside the task table's, so that a report can go by them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import cells, context, decode, schema
from mltasks.cells import Tally
from mltasks.context import Context
from mltasks.errors import DataError

NEEDED = ("state", "create_time")  # without these it is a table of something else

EMPTY = schema.STORED_SCHEMA.empty_table()


def is_stored(columns: pa.Schema) -> bool:
    """Tell whether a file has the stored columns in their types, so that it can be scanned as it is."""
    return all(c.name in columns.names and columns.field(c.name).type == c.type for c in schema.STORED)


def from_pandas(frame: pd.DataFrame, tally: Tally) -> tuple[pa.Table, Context | None]:
    """Return the stored columns of a pandas frame and the Context in its attrs; raises DataError for other tables."""
    check(list(frame.columns), "the DataFrame")
    attributes = context.of(frame.attrs)
    bare = frame.copy(deep=False)
    bare.attrs = {}
    odd = {name for name in bare.columns if bare[name].dtype == object}
    plain = bare.drop(columns=list(odd))
    table = pa.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata()
    for name in bare.columns:
        if name in odd:
            values = [None if _missing(value) else value for value in bare[name]]
            table = table.append_column(str(name), _guessed(values))
    return conform(table, tally), attributes


def conform(table: pa.Table, tally: Tally) -> pa.Table:
    """Return a table with the stored columns in their types, then the table's own ones; missing ones are null."""
    check(table.column_names, "the table")
    ids = table["task_id"].to_pylist() if "task_id" in table.column_names else [None] * table.num_rows
    extra: decode.Extra = defaultdict(dict)
    columns = {}
    for column in schema.STORED:
        if column.name in table.column_names:
            columns[column.name] = _converted(column, table[column.name], ids, tally, extra)
        else:
            columns[column.name] = _absent(column, table.num_rows)
    if extra:
        columns["extra"] = _with_extra(columns["extra"], extra)
    for name in table.column_names:
        if name not in schema.COLUMNS:
            columns[name] = table[name]
    return pa.table(columns)


def check(names: list[Any], place: str) -> None:
    """Raise DataError where the columns are not those of tasks."""
    missing = [name for name in NEEDED if name not in names]
    if missing:
        shown = ", ".join(map(str, names[:6])) + (", ..." if len(names) > 6 else "")
        raise DataError(
            f"{place} holds no tasks: it has no column {' and no '.join(missing)} (it has: {shown or 'none'}); "
            "make it with mltasks fetch or mltasks.load"
        )


def _absent(column: schema.Column, rows: int) -> pa.Array:
    if column.kind == "nodes":
        return pa.array([[]] * rows, column.type)
    return pa.nulls(rows, column.type)


def _converted(
    column: schema.Column, found: pa.ChunkedArray, ids: list[Any], tally: Tally, extra: decode.Extra
) -> pa.Array:
    if found.type == column.type and column.kind != "nodes":
        return found
    if column.kind == "nodes" and found.type == column.type and not found.null_count:
        return found
    if column.kind == "nodes" and pa.types.is_string(found.type) and not pc.any(_odd_list(found)).as_py():
        return lists(found, column)
    if column.kind == "time" and pa.types.is_timestamp(found.type):  # naive times are UTC
        return found.cast(pa.timestamp("ms", "UTC"), safe=False)
    if column.kind == "text" and (pa.types.is_dictionary(found.type) or pa.types.is_large_string(found.type)):
        return found.cast(column.type)
    return decode.read_column(column, [_python(value) for value in found.to_pylist()], ids, tally, extra)


def lists(texts: pa.Array, column: schema.Column) -> pa.Array:
    """Return comma-joined texts as lists; a missing one is an empty list."""
    return pc.coalesce(pc.split_pattern(texts, ","), pa.scalar([], column.type))


def _odd_list(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which comma-joined lists have spaces or empty parts."""
    return pc.match_substring_regex(texts, r"^$|^,|,,|,$|\s")


def _python(value: Any) -> Any:
    """Return a value as JSON would have given it; a float NaN is a missing value of pandas."""
    return None if isinstance(value, float) and value != value else value


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _guessed(values: list[Any]) -> pa.Array:
    """Return mixed Python objects as an Arrow array; as texts where they are of several types."""
    values = [list(value) if hasattr(value, "tolist") else value for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([cells.text(value)[0] for value in values], pa.string())


def _with_extra(column: Any, extra: decode.Extra) -> pa.Array:
    texts = column.to_pylist()
    for row, fields in extra.items():
        texts[row] = decode.extra_text({**cells.parsed(texts[row]), **fields})
    return pa.array(texts, pa.string())
