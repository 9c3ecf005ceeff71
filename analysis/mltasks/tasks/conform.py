"""Anybody's frame of tasks to the stored columns: what users do to a table must not break it.

Own columns stay beside the task table's, so that a report can go by them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.exceptions import DataError
from mltasks.tasks import arrow, arrow_schema, json_values, metadata, node_lists, schema
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context
from mltasks.tasks.read_column import Extra, extra_text, read_column

NEEDED = ("state", "create_time")  # without these it is a table of something else

PANDAS_INDEX = re.compile(r"__index_level_\d+__")  # how pandas' own to_parquet calls an index without a name
BY_NODE = ("node_name", "node_failed", "node_error")  # what mltasks.by_node adds
SOURCE_PREFIX = "_source."  # before a hit's fields in what pandas' json_normalize gives
ALIASES = {"_id": "task_id", "_seq_no": "seq_no", "_primary_term": "primary_term", "_version": "version"}
EMPTY = arrow_schema.STORED_SCHEMA.empty_table()
RawColumn: TypeAlias = Any  # a column: pa.ChunkedArray, or a list where it holds Python objects of any type


def is_stored(columns: pa.Schema) -> bool:
    """Tell whether the stored columns that a file has are of their types, so that it can be scanned as it is.

    An older version has written fewer; those it had to write are there.
    """
    return {*NEEDED, *schema.KEY} <= {*columns.names} and all(
        columns.field(c.name).type == c.type for c in schema.STORED if c.name in columns.names
    )


def from_pandas(frame: pd.DataFrame, tally: UnreadableCounts) -> tuple[pa.Table, Context | None]:
    """Return the stored columns of a pandas frame and the Context in its attrs; raises DataError for other tables."""
    if frame.columns.nlevels > 1:
        raise DataError(
            "the DataFrame has columns of several levels, as of a pivot; give one row per task, with the columns of "
            "mltasks.load"
        )
    names = [str(name) for name in frame.columns]
    check(names, "the DataFrame", [name for name in frame.index.names if isinstance(name, str)])
    columns = {name: _raw_column(frame.iloc[:, place]) for place, name in enumerate(names)}
    for level, name in enumerate(frame.index.names):
        if isinstance(name, str) and ALIASES.get(name, name) not in columns:
            columns[name] = _raw_column(frame.index.get_level_values(level).to_series())
    return _conform_columns(columns, len(frame), tally), metadata.read_attrs(frame.attrs)


def conform(table: pa.Table, tally: UnreadableCounts) -> pa.Table:
    """Return a table with the stored columns in their types, then the table's own ones; missing ones are null."""
    check(table.column_names, "the table")
    return _conform_columns(dict(zip(table.column_names, table.columns, strict=True)), table.num_rows, tally)


def check(names: Sequence[str], place: str, index: Sequence[str] = ()) -> None:
    """Raise DataError where the columns, or those and the names of the index, are not those of tasks."""
    columns = {column_name(name, names) for name in (*names, *index)}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        remedy = "make it with mltasks fetch or mltasks.load"
        if f"{missing[0]}_x" in names:
            remedy = f"a merge made {missing[0]}_x of it: merge with suffixes=('', '_other')"
        raise DataError(
            f"{place} holds no tasks: it has no column {' and no '.join(missing)} (it has: {shown or 'none'}); {remedy}"
        )
    if {*BY_NODE} <= {*names}:
        raise DataError(
            f"{place} is one of by_node: it has a row per task and node, so that tasks would be lost; give the tasks "
            "that by_node was given"
        )
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise DataError(f"{place} has the column {twice[0]!r} more than once; rename or drop one of them")


def column_name(name: str, names: Collection[str]) -> str:
    """Return the name of the task table's column that one of a hit's, as other tools call it, is meant for."""
    short = name.removeprefix(SOURCE_PREFIX)
    column = ALIASES.get(name, short if short in schema.COLUMNS else name)
    if name == "id" and {"task_id", "_id", "_source.task_id"}.isdisjoint(names):
        column = "task_id"
    return name if column in names else column


def _conform_columns(raw: Mapping[str, RawColumn], rows: int, tally: UnreadableCounts) -> pa.Table:
    by_name = {column_name(name, raw): values for name, values in raw.items()}
    ids = _objects(by_name["task_id"]) if "task_id" in by_name else [None] * rows
    extra: Extra = defaultdict(dict)
    columns = {}
    for column in schema.STORED:
        if column.name in by_name:
            columns[column.name] = _convert(column, by_name[column.name], ids, tally, extra)
        else:
            columns[column.name] = _null_column(column, rows)
    if extra:
        columns["extra"] = _with_extra(columns["extra"], extra)
    for name, values in by_name.items():
        if name not in schema.COLUMNS and not PANDAS_INDEX.fullmatch(name):
            columns[name] = _own_column(values)
    return pa.table(columns)


def own_column(column: pd.Series[Any]) -> pa.ChunkedArray:
    """Return a user's column of a pandas frame in an Arrow type that every engine knows."""
    values = _own_column(_raw_column(column))
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _own_column(values: RawColumn) -> pa.Array | pa.ChunkedArray:
    """Return a user's column in a type that every engine knows."""
    if isinstance(values, list):
        values = _guess_type(values)
    if isinstance(getattr(values.type, "value_type", values.type), pa.BaseExtensionType):
        return _as_texts(values)  # pandas' periods and intervals, as it writes them; UUIDs
    if pa.types.is_union(values.type):  # one of DuckDB: pandas has no such type
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    if values.type == pa.time64("ns"):  # a time of day as polars gives it
        return values.cast(pa.time64("us"), safe=False)
    if pa.types.is_float16(values.type):
        return values.cast(pa.float32())
    if pa.types.is_decimal256(values.type):
        return values.cast(pa.float64())
    return values


def _as_texts(values: Any) -> pa.Array:
    """Return a column of pandas' own types as texts."""
    if isinstance(values, pa.ChunkedArray | pa.Array):
        values = arrow.combine_chunks(values)
        if isinstance(values, pa.DictionaryArray):
            return pc.take(_as_texts(values.dictionary), values.indices)
        values = values.to_pandas()
    return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())


def _raw_column(column: pd.Series[Any]) -> RawColumn:
    if column.dtype == object:
        return list(column)
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.astype(column.dtype.subtype)
    try:
        array = pa.Array.from_pandas(column)
        foreign = isinstance(getattr(array.type, "value_type", array.type), pa.BaseExtensionType)
    except (pa.ArrowException, TypeError, ValueError):
        foreign = True
    if foreign:  # intervals, periods, complex numbers: what no other engine knows
        array = _as_texts(column)
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _null_column(column: schema.Column, rows: int) -> pa.Array:
    if column.kind == "nodes":
        return pa.array([[]] * rows, column.type)
    return pa.nulls(rows, column.type)


def _convert(
    column: schema.Column, raw: RawColumn, ids: list[Any], tally: UnreadableCounts, extra: Extra
) -> pa.Array | pa.ChunkedArray:
    if not isinstance(raw, list):
        if pa.types.is_dictionary(raw.type):
            raw = raw.cast(raw.type.value_type)
        if pa.types.is_large_string(raw.type) or pa.types.is_string_view(raw.type):
            raw = raw.cast(pa.string())
        if column.kind == "nodes" and pa.types.is_large_list(raw.type):
            raw = raw.cast(pa.large_list(pa.string())).cast(column.type)
        if raw.type == column.type and (column.kind != "nodes" or node_lists.are_tidy(raw)):
            return raw
        if column.kind == "nodes" and pa.types.is_string(raw.type) and not pc.any(node_lists.odd_list(raw)).as_py():
            return node_lists.split_lists(raw, column)
        if column.kind == "time" and pa.types.is_timestamp(raw.type):  # naive times are UTC
            return raw.cast(column.type, safe=False)
    values = _objects(raw)
    if column.kind == "text":
        values = [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]
    return read_column(column, values, ids, tally, extra)


def _objects(values: RawColumn) -> list[Any]:
    return [to_json_value(value) for value in (values if isinstance(values, list) else values.to_pylist())]


def to_json_value(value: Any) -> Any:
    """Return a Python object as JSON would have given it."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return None if value.is_nan() else int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return to_json_value(value.tolist())
    if isinstance(value, list | tuple | set):
        return [to_json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json_value(item) for key, item in value.items()}
    return value


def _plain_number(value: Any) -> Any:
    return value.item() if isinstance(value, np.integer | np.floating | np.bool_) else value


def _guess_type(values: list[Any]) -> pa.Array:
    """Return an own column of Python objects as an Arrow array; as texts where they are of several types."""
    values = [None if value is pd.NA or value is pd.NaT else _plain_number(value) for value in values]
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([json_values.text(to_json_value(value))[0] for value in values], pa.string())


def _with_extra(column: pa.Array | pa.ChunkedArray, extra: Extra) -> pa.Array:
    texts = column.to_pylist()
    for row, fields in extra.items():
        members = json_values.parse_object(texts[row]) or ({"extra": texts[row]} if texts[row] else {})
        texts[row] = extra_text({**members, **fields})
    return pa.array(texts, pa.string())
