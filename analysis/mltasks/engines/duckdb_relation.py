"""DuckDB relations: rows, Parquet files or those of a store, on a connection of their own."""

from __future__ import annotations

import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Collection
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakValueDictionary

import duckdb
import pyarrow as pa
from duckdb import func

from mltasks import temporary
from mltasks.engines import data_files
from mltasks.engines.data_files import DataFiles
from mltasks.engines.duckdb_errors import translate_errors
from mltasks.engines.duckdb_sql import Relation, quote_name, quote_text
from mltasks.exceptions import UsageError
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.tasks import arrow_schema, failure_reason, schema

MEMORY = "1GB"  # of DuckDB's own; the rest of the process takes about as much
NUMBERS = itertools.count()  # of connections: they would overwrite each other's files in one folder
CONNECTIONS: WeakValueDictionary[int, duckdb.DuckDBPyConnection] = WeakValueDictionary()  # by the variable `number`
SQL: dict[schema.Kind, str] = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "nodes": "VARCHAR[]",
    "time": "TIMESTAMP WITH TIME ZONE",
    "flag": "BOOLEAN",
    "number": "DOUBLE",
    "integer": "BIGINT",
}


@translate_errors()
def relation(rows: pa.Table | Place | DataFiles) -> Relation:
    """Return rows in memory, a Parquet file, or those of a store as a relation on a DuckDB connection of its own."""
    connection = _connection()
    if isinstance(rows, Path | ObjectPath):
        return _with_stored_columns(_parquet_relation(connection, [rows]))
    if isinstance(rows, DataFiles):
        return _store_relation(connection, rows)
    for place, field in enumerate(rows.schema):
        if pa.types.is_null(field.type):  # to DuckDB a column of nothing else would be one of numbers
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.string()))
    return connection.from_arrow(rows)


def connection_of(rows: Relation) -> duckdb.DuckDBPyConnection:
    """Return the connection of what `relation` gave, or of what was made of it: relations of two cannot be joined."""
    result = rows.query("any_rows", "SELECT getvariable('number')")
    assert result is not None  # as of a statement that gives no rows
    return CONNECTIONS[result.fetchall()[0][0]]


def _connection() -> duckdb.DuckDBPyConnection:
    memory = os.environ.get("MLTASKS_MEMORY", MEMORY)
    connection, number = duckdb.connect(), next(NUMBERS)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_directory = ?", [f"{_spill_folder().name}/{number}"])
    connection.execute("SET VARIABLE number = ?", [number])
    CONNECTIONS[number] = connection
    try:
        connection.execute("SET memory_limit = ?", [memory])
    except duckdb.Error as error:
        raise UsageError(f"MLTASKS_MEMORY: {memory!r} is no size; say for instance 4GB") from error
    for name, parsed in failure_reason.JSON_COLUMNS.items():
        takes: list[Any] = [SQL[schema.COLUMNS[column].kind] for column in parsed.takes]
        connection.create_function(
            f"task_{name}", parsed.function, takes, SQL[parsed.gives], type=func.ARROW, null_handling=func.SPECIAL
        )
    return connection


@functools.cache
def _spill_folder() -> TemporaryDirectory[str]:
    """Return the folder for what memory cannot hold: nobody else's to read, gone with the process."""
    return temporary.make_folder()


def _parquet_relation(connection: duckdb.DuckDBPyConnection, paths: list[Place]) -> Relation:
    """Return Parquet files as one relation: their own columns, whatever their folders are called."""
    if any(isinstance(path, ObjectPath) for path in paths) and not connection.list_filesystems():
        from mltasks.object_storage.fsspec_bridge import ObjectFileSystem

        connection.register_filesystem(ObjectFileSystem())
    names = [str(path) if isinstance(path, ObjectPath) else escape(str(path.absolute())) for path in paths]
    return connection.read_parquet(names, hive_partitioning=False)


def _store_relation(connection: duckdb.DuckDBPyConnection, rows: DataFiles) -> Relation:
    """Return the tasks of a store's files: all columns, also those that a newer version has written.

    The cluster is taken from the store, not from the path: DuckDB would read a name such as `null` as no name.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Place]] = defaultdict(list)
    for part in rows.parts:
        groups[part.cluster, part.columns].append(part.path)
    if not groups:
        return connection.from_arrow(data_files.SCHEMA.empty_table())
    names = [*data_files.FILE_SCHEMA.names, *rows.unknown_columns()]
    relations = [
        _parquet_relation(connection, paths).project(
            ", ".join([f"{quote_text(cluster)} AS cluster", *(_column_or_null(name, columns) for name in names)])
        )
        for (cluster, columns), paths in groups.items()
    ]
    return functools.reduce(Relation.union, relations)  # UNION ALL: no task is in two files


def _with_stored_columns(rows: Relation) -> Relation:
    """Return a relation with all stored columns: an older version has written fewer."""
    missing = [name for name in arrow_schema.STORED_SCHEMA.names if name not in rows.columns]
    return rows.project(", ".join(["*", *(_column_or_null(name, ()) for name in missing)])) if missing else rows


def _column_or_null(name: str, columns: Collection[str]) -> str:
    """Return a column of a file in SQL, or what stands for it where the file has none: null, or no node."""
    if name in columns:
        return quote_name(name)
    if name not in schema.COLUMNS and name != data_files.GONE.name:
        return f"NULL AS {quote_name(name)}"
    kind = schema.COLUMNS[name].kind if name in schema.COLUMNS else "time"
    return f"CAST({'[]' if kind == 'nodes' else 'NULL'} AS {SQL[kind]}) AS {quote_name(name)}"
