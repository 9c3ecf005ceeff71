"""DuckDB: rows, Parquet files or those of a store as a relation, on a connection of its own."""

from __future__ import annotations

import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import func

from mltasks.engines import data_files
from mltasks.engines.data_files import DataFiles
from mltasks.exceptions import DataError, UsageError
from mltasks.tasks import failure_reason, schema

Relation = duckdb.DuckDBPyRelation
MEMORY = "1GB"  # of DuckDB's own; the rest of the process takes about as much
NUMBERS = itertools.count()  # connections would overwrite each other's files in one folder
SQL = {"text": "VARCHAR", "json": "VARCHAR", "nodes": "VARCHAR[]"}


def relation(rows: pa.Table | Path | DataFiles) -> Relation:
    """Return rows in memory, a Parquet file, or those of a store as a relation on a DuckDB connection of its own."""
    connection = _connection()
    if isinstance(rows, Path):
        return _parquet_relation(connection, [rows])
    if isinstance(rows, DataFiles):
        return _store_relation(connection, rows)
    for place, field in enumerate(rows.schema):
        if pa.types.is_null(field.type):  # to DuckDB a column of nothing else would be one of numbers
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.string()))
    return connection.from_arrow(rows)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Say what stops DuckDB: memory, a disk, a file that is gone or damaged. Raises UsageError and DataError."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        said = _first_line(error)
        raise UsageError(
            f"memory: {said}; set MLTASKS_MEMORY to more, such as 4GB, or choose less with since"
        ) from error
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException) as error:
        remedy = "of a store, mltasks verify tells more"
        raise DataError(f"the tasks cannot be read: {_first_line(error)}; {remedy}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]


def _connection() -> duckdb.DuckDBPyConnection:
    memory = os.environ.get("MLTASKS_MEMORY", MEMORY)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_directory = ?", [f"{_spill_folder().name}/{next(NUMBERS)}"])
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
    return TemporaryDirectory(prefix="mltasks-")


def _parquet_relation(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> Relation:
    """Return Parquet files as one relation: their own columns, whatever their folders are called."""
    return connection.read_parquet([escape(str(path.absolute())) for path in paths], hive_partitioning=False)


def _store_relation(connection: duckdb.DuckDBPyConnection, rows: DataFiles) -> Relation:
    """Return the tasks of a store's files.

    The cluster is taken from the store, not from the path: DuckDB would read a name such as `null` as no name.
    """
    clusters: dict[str, list[Path]] = defaultdict(list)
    for part in rows.parts:
        clusters[part.cluster].append(part.path)
    if not clusters:
        return connection.from_arrow(data_files.SCHEMA.empty_table())
    rest = [quote_name(field.name) for field in data_files.SCHEMA if field.name != "cluster"]
    found = [
        _parquet_relation(connection, paths).project(", ".join([f"{quote_text(cluster)} AS cluster", *rest]))
        for cluster, paths in clusters.items()
    ]
    return functools.reduce(Relation.union, found)  # UNION ALL: no task is in two files


def quote_name(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
