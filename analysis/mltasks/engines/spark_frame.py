"""Spark DataFrames of tasks: a user's own, with the stored columns in their types and each task once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mltasks.engines.data_files import GONE
from mltasks.engines.spark_errors import translate_errors
from mltasks.exceptions import UsageError
from mltasks.tasks import arrow_schema, conform, schema, table
from mltasks.tasks.metadata import Context
from mltasks.tasks.node_lists import NO_NODE, NOT_OF_A_NODE

SQL: dict[schema.Kind, str] = {
    "text": "string",
    "json": "string",
    "nodes": "array<string>",
    "time": "timestamp",
    "flag": "boolean",
    "number": "double",
    "integer": "bigint",
}
WHOLE = ("tinyint", "smallint", "int", "bigint")
NEWEST = 3  # rows from which the time of a reading is assumed


@translate_errors()
def open_frame(tasks: Any, names: Sequence[str]) -> tuple[Any, Context]:
    """Return a user's DataFrame with the stored columns, each task once, and its Context; see `Engine.open_frame`."""
    is_pandas_on_spark = type(tasks).__module__.startswith("pyspark.pandas")  # a frame of Connect has any attribute
    rows = tasks.to_spark() if is_pandas_on_spark else tasks
    conform.check(rows.columns, "the Spark DataFrame")
    rows = with_stored_columns(rows, names)
    copies, shared, example = _count_ids(rows)
    if copies > 1:
        rows = _deduplicate(rows)
    ctx = table.assume_as_of(_newest(rows), Context(source="a Spark DataFrame"))
    if shared:
        clusters = rows.filter(f"task_id = {quote_text(example)}").selectExpr("cluster").distinct().toArrow()
        ctx = table.with_shared_ids(ctx, shared, example, clusters["cluster"].to_pylist())
    return rows, ctx


def _count_ids(rows: Any) -> tuple[int, int, str]:
    """Return how often the commonest task is there, how many ids several clusters have, and one of these ids."""
    from pyspark.sql import functions

    tasks = rows.filter("task_id IS NOT NULL").groupBy("task_id", "cluster")
    tasks = tasks.agg(functions.expr("count(1) AS copies"))
    ids = tasks.groupBy("task_id").agg(*map(functions.expr, ("max(copies) AS copies", "count(1) AS clusters")))
    shared = "CASE WHEN clusters > 1 THEN task_id END"
    values = ("max(copies)", f"count({shared})", f"min({shared})")
    row = ids.agg(*map(functions.expr, values)).toArrow()
    copies, ids_shared, example = (column[0].as_py() for column in row.columns)
    return copies or 0, ids_shared, example or ""


def with_stored_columns(rows: Any, names: Sequence[str] = ()) -> Any:
    """Return the stored columns in their types, then the frame's own; missing ones are null.

    Spark tells no case of column names apart: of two that differ in nothing else the stored one stays. Raises
    UsageError where a type cannot be taken, or one of `names` cannot be told from another column.
    """
    types = dict(zip(rows.columns, read_types(rows).values(), strict=True))
    stored = {conform.column_name(name, types): name for name in types}
    places = {name: f"c{place}" for place, name in enumerate(types)}  # whatever they are called
    columns = {
        column.name: _expression(column, places[stored[column.name]], types[stored[column.name]])
        if column.name in stored
        else f"CAST({'array()' if column.kind == 'nodes' else 'NULL'} AS {SQL[column.kind]})"
        for column in schema.STORED
    }
    taken = {name.lower() for name in columns}
    for column, name in stored.items():
        if column in columns or (column in schema.COLUMNS and column != GONE.name):
            continue
        if column in names:
            _check_name(column, columns)
        elif column.lower() in taken or "." in column or "`" in column:
            continue
        columns[column] = places[name]
        taken.add(column.lower())
    return rows.toDF(*places.values()).selectExpr(
        *(f"{value} AS {quote_name(name)}" for name, value in columns.items())
    )


def read_types(rows: Any) -> dict[str, str]:
    """Return the types of a DataFrame's columns as Spark SQL calls them."""
    return {field.name: field.dataType.simpleString() for field in rows.schema.fields}


def from_arrow_table(session: Any, rows: pa.Table) -> Any:
    """Return rows in memory as a DataFrame; one without rows by its types: Spark Connect takes no empty table."""
    rows = rows.cast(pa.schema([pa.field(field.name, _arrow_type(field.type)) for field in rows.schema]))
    if rows.num_rows:
        return session.createDataFrame(rows)
    from pyspark.sql.pandas.types import from_arrow_schema

    return session.createDataFrame([], from_arrow_schema(rows.schema))


def quote_name(name: str) -> str:
    """Return a name as Spark SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def quote_text(text: str) -> str:
    """Return a text as Spark SQL has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _arrow_type(dtype: pa.DataType) -> pa.DataType:
    """Return a type that Spark has: of dictionaries that of their values, texts with short offsets."""
    if pa.types.is_dictionary(dtype):
        dtype = dtype.value_type
    if pa.types.is_large_string(dtype) or pa.types.is_null(dtype):
        return pa.string()
    return pa.timestamp("us", dtype.tz) if pa.types.is_timestamp(dtype) else dtype


def _check_name(name: str, columns: Mapping[str, str]) -> None:
    twins = [other for other in columns if other.lower() == name.lower()]
    if twins:
        raise UsageError(f"by: Spark does not tell the column {name!r} from {twins[0]!r}; rename yours")
    if "." in name or "`" in name:
        raise UsageError(f"by: the column {name!r} has a dot or a backtick in its name; rename it for Spark")


def _expression(column: schema.Column, place: str, dtype: str) -> str:
    """Return a column in the type that reports take, as SQL; raises UsageError where that would be guessing."""
    wanted = SQL[column.kind]
    is_nested = dtype.startswith(("array", "struct", "map"))
    if column.kind == "nodes":
        return _nodes(place, dtype)
    if column.kind == "time" and dtype not in ("timestamp", "void"):
        if dtype == "timestamp_ntz":  # naive times are UTC, whatever the session's zone
            return f"CAST(concat(CAST({place} AS string), 'Z') AS timestamp)"
        if dtype == "date":
            return f"CAST(concat(CAST({place} AS string), 'T00:00:00Z') AS timestamp)"
        remedy = "timestamp_millis" if dtype in WHOLE else "to_timestamp"
        raise UsageError(
            f"the Spark DataFrame has the column {column.name!r} of the type {dtype}; make it a timestamp, for "
            f"instance with withColumn({column.name!r}, expr({f'{remedy}({column.name})'!r}))"
        )
    if dtype == wanted:
        return place
    if column.kind == "json" and is_nested:
        return f"to_json({place})"
    if is_nested or dtype == "binary":
        raise UsageError(f"the Spark DataFrame has the column {column.name!r} of the type {dtype}; cast it to {wanted}")
    return f"try_cast({place} AS {wanted})"


def _nodes(place: str, dtype: str) -> str:
    if dtype == "array<string>":
        return f"coalesce(filter({place}, node -> node IS NOT NULL AND node <> ''), array())"
    if dtype not in ("string", "void"):
        raise UsageError(f"the Spark DataFrame has the column 'worker_node' of the type {dtype}; make it array<string>")
    marks = NOT_OF_A_NODE.replace(",", "").replace("\\", "\\\\").replace("'", "\\'")
    nodes = f"split(regexp_replace({place}, '[{marks}]', ','), ',')"
    words = ", ".join(f"'{word}'" for word in ("", *NO_NODE))
    return f"coalesce(filter({nodes}, node -> node NOT IN ({words})), array())"


def _deduplicate(rows: Any) -> Any:
    """Return each (cluster, task_id) once, in its latest version; a task without an id is kept as it is."""
    latest = ", ".join(f"{name} DESC NULLS LAST" for name in ("seq_no", "last_update_time", "version", "state"))
    columns = [quote_name(name) for name in rows.columns]
    rows = rows.selectExpr(*columns, f"row_number() OVER (PARTITION BY cluster, task_id ORDER BY {latest}) AS `row:n`")
    return rows.filter("`row:n` = 1 OR task_id IS NULL").selectExpr(*columns)


def _newest(rows: Any) -> pa.Table:
    """Return the rows that were created or written last, in no future."""
    limit = f"current_timestamp() + INTERVAL {schema.DAY_MS // 86_400_000} DAY"
    times = ", ".join(f"CASE WHEN {name} < {limit} THEN {name} END" for name in ("create_time", "last_update_time"))
    names = [*arrow_schema.STORED_SCHEMA.names]
    dated = rows.selectExpr(*names, f"greatest({times}) AS `newest:t`")
    newest = dated.orderBy(dated["`newest:t`"].desc()).limit(NEWEST)
    return newest.selectExpr(*names).toArrow().cast(arrow_schema.STORED_SCHEMA, safe=False)  # Spark has microseconds
