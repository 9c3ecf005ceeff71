"""The engine Apache Spark: what reports do with a DataFrame of it, classic or of Spark Connect.

All is Spark SQL, so that nothing of ours has to be installed on the executors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from mltasks.engines import operations, spark_json, spark_sql
from mltasks.engines.base import Frame, Value
from mltasks.engines.data_files import GONE
from mltasks.engines.spark_errors import translate_errors as translate_errors
from mltasks.engines.spark_files import scan as scan
from mltasks.engines.spark_frame import from_arrow_table, quote_name, read_types, with_stored_columns
from mltasks.engines.spark_frame import open_frame as open_frame
from mltasks.engines.spark_session import open_session as open_session
from mltasks.engines.spark_sql import DataFrame
from mltasks.exceptions import UsageError
from mltasks.tasks import schema, table
from mltasks.tasks.conditions import Frame as AnyFrame
from mltasks.tasks.conditions import case_when as case_when
from mltasks.tasks.conditions import when_then as when_then
from mltasks.tasks.metadata import Context

SORTED_VALUES = 40_000_000  # what `iter_sorted` takes into memory at most
BATCH = 400_000  # rows handed over at once, before what is there several times is repeated
COPIES = "copies:n"


def from_arrow(rows: pa.Table, context: Context) -> DataFrame:
    """Return rows as a DataFrame of the session that is active."""
    from pyspark.sql import SparkSession

    return with_stored_columns(from_arrow_table(SparkSession.active(), rows))


@translate_errors()
def to_arrow(tasks: DataFrame) -> pa.Table:
    """Return all rows in memory."""
    rows = tasks.toArrow()
    columns = {name: rows[name] for name in rows.column_names}
    return pa.table(
        columns | {column.name: columns[column.name].cast(column.type, safe=False) for column in schema.STORED}
    )


@translate_errors()
def prune(tasks: DataFrame, since_ms: int | None, until_ms: int | None) -> DataFrame:
    """Return the tasks created in a window, and of Parquet files read only the row groups that can hold some."""
    for limit, compares in ((since_ms, ">="), (until_ms, "<")):
        if limit is not None:
            tasks = tasks.filter(f"create_time {compares} timestamp_millis({int(limit)}L)")
    return tasks


@translate_errors()
def project(tasks: DataFrame, needed: Collection[str], own: Mapping[str, str]) -> Frame:
    """Return the columns that reports compute with; see `Engine.project`."""
    columns = {column.name: quote_name(column.name) for column in schema.STORED}
    columns |= {
        "created_ms": "unix_millis(create_time)",
        "updated_ms": "unix_millis(last_update_time)",
        "nodes_text": "nullif(array_join(worker_node, ','), '')",
    }
    if has_gone(tasks):
        columns["gone_ms"] = f"unix_millis({GONE.name})"
    columns |= {name: quote_name(column) for column, name in own.items()}
    rows, parsed = spark_json.add_columns(tasks, needed)
    columns |= parsed
    return _lazy(rows.selectExpr(*(f"{expression} AS {quote_name(name)}" for name, expression in columns.items())))


def has_gone(tasks: DataFrame) -> bool:
    """Tell whether there is a column that says when tasks were found gone."""
    return read_types(tasks).get(GONE.name) == "timestamp"


def map_values(frame: AnyFrame, name: str, column: str, table: Mapping[str, int], otherwise: int) -> AnyFrame:
    """See `conditions.map_values`; as one text, since Java is asked for each part of other expressions."""
    expression = spark_sql.look_up(column, table, otherwise)
    result: AnyFrame = nw.from_native(frame.to_native().selectExpr("*", f"{expression} AS {quote_name(name)}"))
    return result


def explode_range(frame: Frame, first: str, last: str, name: str) -> Frame:
    """See `operations.explode_range`."""
    return _lazy(spark_sql.explode_range(frame.to_native(), first, last, name))


def explode_nodes(frame: Frame) -> Frame:
    """See `operations.explode_nodes`."""
    return _lazy(spark_sql.explode_nodes(frame.to_native()))


@contextmanager
def keep(frame: Frame) -> Iterator[Frame]:
    """See `operations.keep`; what memory cannot hold Spark writes to its disks."""
    from pyspark.errors import PySparkException

    rows = frame.to_native()
    try:
        rows.persist()
    except PySparkException:  # some services have nothing to keep it in: then it is worked out each time
        yield frame
        return
    try:
        yield _lazy(rows)
    finally:
        with translate_errors():
            rows.unpersist()


@translate_errors()
def left_join(frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
    """See `operations.left_join`."""
    rows = frame.to_native()
    others = from_arrow_table(rows.sparkSession, pa.Table.from_pandas(table, preserve_index=False))
    return _lazy(spark_sql.left_join(rows, others, keys))


@translate_errors()
def aggregate(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """See `operations.aggregate`."""
    return _lazy(spark_sql.aggregate(frame.to_native(), keys, values, quantiles))


def measure_load(
    frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """See `operations.measure_load`; one row per group comes back of the sweep."""
    parts = operations.aggregate(frame, types, values)
    with translate_errors():
        levels = spark_sql.measure_concurrency(frame.to_native().filter("spent IS NOT NULL"), keys)
        return parts, operations.to_pandas(_lazy(levels), {key: types[key] for key in keys})


def iter_sorted(frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
    """See `operations.iter_sorted`; only distinct rows are taken into memory, each with how often it is there.

    Raises UsageError where they have more than SORTED_VALUES values.
    """
    rows = frame.to_native()
    most = SORTED_VALUES // len(rows.columns)
    with translate_errors():
        counted = spark_sql.count_distinct(rows, COPIES)
        table = counted.limit(most + 1).toArrow()
    if table.num_rows > most:
        raise UsageError(
            f"this report takes {most:,} different rows of Spark into memory at most, and there are more; choose "
            "less with since (--since), function_name (--function-name) or the like"
        )
    table = table.sort_by([(name, "ascending") for name in by])  # missing ones last
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    for start in range(0, max(table.num_rows, 1), BATCH):
        part = table.slice(start, BATCH).to_pandas(types_mapper=table_types, categories=texts)
        copies = part.pop(COPIES).to_numpy("int64")
        yield part.take(np.repeat(np.arange(len(part)), copies)).reset_index(drop=True)


@translate_errors()
def collect(frame: Frame) -> pd.DataFrame:
    """Return a small result in pandas."""
    rows = frame.to_native().toArrow()
    result: pd.DataFrame = rows.to_pandas(types_mapper=table_types)
    return result


def table_types(dtype: pa.DataType) -> Any:
    """Return the dtype in pandas of a type that Arrow has and pandas not."""
    return table.PANDAS_TYPES.get(dtype)


def _lazy(rows: DataFrame) -> Frame:
    frame: Frame = nw.from_native(rows)
    return frame
