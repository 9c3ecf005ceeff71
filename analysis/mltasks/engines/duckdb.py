"""The engine DuckDB: what reports do with a relation of tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.engines import duckdb_json, duckdb_quantiles, duckdb_sql, load_sweep, operations
from mltasks.engines.base import Frame, Value
from mltasks.engines.data_files import DataFiles
from mltasks.engines.duckdb_errors import translate_errors as translate_errors
from mltasks.engines.duckdb_relation import connection_of
from mltasks.engines.duckdb_relation import relation as relation
from mltasks.engines.duckdb_sql import Relation
from mltasks.engines.duckdb_sql import has_gone as has_gone
from mltasks.engines.duckdb_sql import prune as prune
from mltasks.exceptions import UsageError
from mltasks.tasks import conform, deduplicate, table
from mltasks.tasks.conditions import case_when as case_when
from mltasks.tasks.conditions import map_values as map_values
from mltasks.tasks.conditions import when_then as when_then
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def open_frame(tasks: Relation | pa.Table, names: Sequence[str]) -> tuple[Relation, Context]:
    """Return a user's relation, or an Arrow table, with each task once; see `Engine.open_frame`."""
    rows = conform.conform(to_arrow(tasks) if isinstance(tasks, Relation) else tasks, UnreadableCounts())
    rows = deduplicate.deduplicate(rows)
    return relation(rows), table.note_shared_ids(rows, table.assume_as_of(rows, Context(source="a table")))


def open_session(session: Any, settings: Mapping[str, str]) -> None:
    """Return nothing: each relation has a connection of its own; raises UsageError for what would set one."""
    if session is not None or settings:
        raise UsageError("engine duckdb: it takes no session, master or remote; these are for the engine spark")


def scan(rows: pa.Table | Path | DataFiles, session: None) -> Relation:
    """Return rows in memory, a Parquet file, or those of a store as a relation."""
    return relation(rows)


def from_arrow(rows: pa.Table, context: Context) -> Relation:
    """Return rows as a relation."""
    return relation(rows)


@translate_errors()
def to_arrow(tasks: Relation) -> pa.Table:
    """Return all rows in memory."""
    return tasks.to_arrow_table()


def project(tasks: Relation, needed: Collection[str], own: Mapping[str, str]) -> Frame:
    """Return the columns that reports compute with; see `Engine.project`."""
    rows = duckdb_json.add_reasons(tasks, connection_of(tasks)) if "reason" in needed else tasks
    return _lazy(duckdb_sql.project(rows, needed, own))


def explode_range(frame: Frame, first: str, last: str, name: str) -> Frame:
    """See `operations.explode_range`."""
    return _lazy(duckdb_sql.explode_range(frame.to_native(), first, last, name))


def explode_nodes(frame: Frame) -> Frame:
    """See `operations.explode_nodes`."""
    return _lazy(duckdb_sql.explode_nodes(frame.to_native()))


def keep(frame: Frame) -> AbstractContextManager[Frame]:
    """See `operations.keep`; to read them again costs less than to write them."""
    return nullcontext(frame)


@translate_errors()
def left_join(frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
    """See `operations.left_join`."""
    rows = frame.to_native()
    other = connection_of(rows).from_arrow(pa.Table.from_pandas(table, preserve_index=False))
    return _lazy(duckdb_sql.left_join(rows, other, keys))


@translate_errors()
def aggregate(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """See `operations.aggregate`."""
    if not quantiles:
        return duckdb_quantiles.summarize(frame, keys, values)
    try:
        groups = duckdb_quantiles.aggregate_in_memory(frame, keys, values, quantiles).to_native().to_arrow_table()
    except duckdb.OutOfMemoryException:
        return duckdb_quantiles.aggregate_on_disk(frame, keys, values, quantiles)
    return _lazy(connection_of(frame.to_native()).from_arrow(groups))


@translate_errors()
def measure_load(
    frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """See `operations.measure_load`; what is sorted is three whole numbers a task."""
    rows = frame.to_native()
    connection = connection_of(rows)
    counted = aggregate(frame, list(types), values, {}).to_native().to_arrow_table()
    parts = operations.to_pandas(_lazy(connection.from_arrow(counted)), types)
    groups, numbered = duckdb_sql.number_groups(rows, counted, keys, connection)
    lives = numbered.filter("spent IS NOT NULL").project(
        f'{duckdb_sql.NUMBER}, "begin"::BIGINT AS "begin", "end"::BIGINT AS "end"'
    )
    levels = load_sweep.sweep_groups(
        tuple(column.to_numpy() for column in batch.columns) for batch in duckdb_sql.iter_sorted(lives, "begin")
    )
    names = {key: types[key] for key in keys}
    numbers = operations.to_pandas(_lazy(groups), names | {duckdb_sql.NUMBER: "int64"})
    return parts, load_sweep.with_levels(numbers[list(keys)], numbers[duckdb_sql.NUMBER], levels)


def iter_sorted(frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
    """See `operations.iter_sorted`."""
    rows = frame.to_native()
    with translate_errors(), duckdb_sql.encode_texts(rows, connection_of(rows)) as encoded:
        for batch in duckdb_sql.iter_sorted(encoded, *by):
            signed = duckdb_sql.with_signed_places(batch)
            texts = [field.name for field in signed.schema if pa.types.is_string(field.type)]
            yield signed.to_pandas(types_mapper=table.PANDAS_TYPES.get, categories=texts)


@translate_errors()
def collect(frame: Frame) -> pd.DataFrame:
    """Return a result in pandas; DuckDB sums whole numbers to decimals, which become float64."""
    rows = frame.collect("pyarrow").to_native()
    plain = [pa.float64() if pa.types.is_decimal(field.type) else field.type for field in rows.schema]
    cast = rows.cast(pa.schema(list(zip(rows.column_names, plain, strict=True))))
    result: pd.DataFrame = cast.to_pandas(types_mapper=table.PANDAS_TYPES.get)
    return result


def _lazy(rows: Relation) -> Frame:
    frame: Frame = nw.from_native(rows)
    return frame
