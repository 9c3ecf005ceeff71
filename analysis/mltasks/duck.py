"""DuckDB: rows or Parquet files as a relation, and what reports compute with beside the stored columns."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Mapping
from glob import escape
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import func

from mltasks import derived, parts, schema
from mltasks.parts import Parts

Relation = duckdb.DuckDBPyRelation
SQL = {"text": "VARCHAR", "json": "VARCHAR", "nodes": "VARCHAR[]"}


def relation(rows: pa.Table | Path | Parts) -> Relation:
    """Return rows in memory, a Parquet file, or those of a store as a relation on a DuckDB connection of its own."""
    connection = _connection()
    if isinstance(rows, Path):
        return _files(connection, [rows])
    if isinstance(rows, Parts):
        return _stored(connection, rows)
    for place, field in enumerate(rows.schema):
        if pa.types.is_null(field.type):  # to DuckDB a column of nothing else would be one of numbers
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.string()))
    return connection.from_arrow(rows)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, parsed in derived.PARSED.items():
        takes: list[Any] = [SQL[schema.COLUMNS[column].kind] for column in parsed.takes]
        connection.create_function(
            f"task_{name}", parsed.function, takes, SQL[parsed.gives], type=func.ARROW, null_handling=func.SPECIAL
        )
    return connection


def _files(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> Relation:
    """Return Parquet files as one relation: their own columns, whatever their folders are called."""
    return connection.read_parquet([escape(str(path.absolute())) for path in paths], hive_partitioning=False)


def _stored(connection: duckdb.DuckDBPyConnection, rows: Parts) -> Relation:
    """Return the tasks of a store's files.

    The cluster is taken from the store, not from the path: DuckDB would read a name such as `null` as no name.
    """
    clusters: dict[str, list[Path]] = defaultdict(list)
    for part in rows.parts:
        clusters[part.cluster].append(part.path)
    if not clusters:
        return connection.from_arrow(parts.SCHEMA.empty_table())
    rest = [_quoted(field.name) for field in parts.SCHEMA if field.name != "cluster"]
    found = [
        _files(connection, paths).project(", ".join([f"{_text(cluster)} AS cluster", *rest]))
        for cluster, paths in clusters.items()
    ]
    return functools.reduce(Relation.union, found)  # UNION ALL: no task is in two files


def prepared(tasks: Relation, wanted: Collection[str], own: Mapping[str, str]) -> Relation:
    """Return the stored columns, times as integers [ms], nodes as one text, and the wanted columns of PARSED.

    `own`: the user's own columns to keep, and the names to keep them under.
    """
    columns = {column.name: column.name for column in schema.STORED}
    columns |= {
        "created_ms": "epoch_ms(create_time)",
        "updated_ms": "epoch_ms(last_update_time)",
        "nodes_text": "nullif(array_to_string(worker_node, ','), '')",
    }
    columns |= {n: f"task_{n}({', '.join(p.takes)})" for n, p in derived.PARSED.items() if n in wanted}
    columns |= {name: _quoted(column) for column, name in own.items()}
    return tasks.project(", ".join(f"{expression} AS {_quoted(name)}" for name, expression in columns.items()))


def repeated(tasks: Relation, first: str, last: str, name: str) -> Relation:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    return tasks.project(f"*, unnest(range({first}, {last} + 1)) AS {name}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
