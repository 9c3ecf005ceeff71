"""DuckDB: rows or Parquet files as a relation, and what reports compute with beside the stored columns."""

from __future__ import annotations

import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import func

from mltasks import parts, reasons, schema
from mltasks.context import iso
from mltasks.errors import DataError, UsageError
from mltasks.parts import GONE, Parts

Relation = duckdb.DuckDBPyRelation
MEMORY = "1GB"  # of DuckDB's own; the rest of the process takes about as much
BATCH = 1_000_000  # rows handed over at once
NUMBERS = itertools.count()  # connections would overwrite each other's files in one folder
SQL = {"text": "VARCHAR", "json": "VARCHAR", "nodes": "VARCHAR[]"}
DEPLOYED = f"task_type IN {schema.DEPLOYMENTS} AND starts_with(error, '{{')"
# JSON that every parser reads alike: nothing escaped, no comma before a bracket (which DuckDB allows)
PLAIN = "json_valid(error) AND NOT regexp_matches(error, '\\\\|,\\s*[]}]')"
NAMED = "json_keys(error)"
TWICE = "len(list_distinct(worker_node)) < len(worker_node)"
# What needs no Python, which is slow when it is called for many rows, comes first. CASE within CASE: AND would work out
# both sides for all rows.
PARSED = {
    "reason": f"CASE WHEN ({DEPLOYED}) OR (error IS NULL AND response IS NOT NULL) THEN python ELSE error END",
    "failed_nodes": f"CASE WHEN {DEPLOYED} THEN CASE WHEN {PLAIN} THEN "
    f"CASE WHEN len(list_distinct({NAMED})) = len({NAMED}) THEN {NAMED} ELSE python END ELSE python END ELSE [] END",
    "other_nodes": f"CASE WHEN {DEPLOYED} THEN CASE WHEN {PLAIN} THEN CASE WHEN {TWICE} THEN python "
    f"ELSE list_filter(worker_node, lambda node: NOT list_contains({NAMED}, node)) END ELSE python END "
    f"WHEN len(worker_node) > 1 THEN CASE WHEN {TWICE} THEN python ELSE worker_node END ELSE worker_node END",
}


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


@contextmanager
def running() -> Iterator[None]:
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
    connection.execute("SET temp_directory = ?", [f"{_spilled().name}/{next(NUMBERS)}"])
    try:
        connection.execute("SET memory_limit = ?", [memory])
    except duckdb.Error as error:
        raise UsageError(f"MLTASKS_MEMORY: {memory!r} is no size; say for instance 4GB") from error
    for name, parsed in reasons.PARSED.items():
        takes: list[Any] = [SQL[schema.COLUMNS[column].kind] for column in parsed.takes]
        connection.create_function(
            f"task_{name}", parsed.function, takes, SQL[parsed.gives], type=func.ARROW, null_handling=func.SPECIAL
        )
    return connection


@functools.cache
def _spilled() -> TemporaryDirectory[str]:
    """Return the folder for what memory cannot hold: nobody else's to read, gone with the process."""
    return TemporaryDirectory(prefix="mltasks-")


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


def created_within(tasks: Relation, since_ms: int | None, until_ms: int | None) -> Relation:
    """Return the tasks created in a window, and of a Parquet file read only the row groups that can hold some."""
    for limit, compares in ((since_ms, ">="), (until_ms, "<")):
        if limit is not None:
            tasks = tasks.filter(f"create_time {compares} TIMESTAMPTZ {_text(str(iso(limit)))}")
    return tasks


def prepared(tasks: Relation, wanted: Collection[str], own: Mapping[str, str]) -> Relation:
    """Return the stored columns, times as integers [ms], nodes as one text, and the wanted columns of PARSED.

    `own`: the user's own columns to keep, and the names to keep them under.
    """
    columns = {column.name: column.name for column in schema.STORED}
    columns |= {
        "created_ms": "epoch_us(create_time) // 1000",  # epoch_ms takes three times as long
        "updated_ms": "epoch_us(last_update_time) // 1000",
        "nodes_text": "nullif(array_to_string(worker_node, ','), '')",
    }
    if has_gone(tasks):
        columns["gone_ms"] = f"epoch_ms({GONE.name})"
    for name, parsed in reasons.PARSED.items():
        if name in wanted:
            columns[name] = PARSED[name].replace("python", f"task_{name}({', '.join(parsed.takes)})")
    columns |= {name: _quoted(column) for column, name in own.items()}
    return tasks.project(", ".join(f"{expression} AS {_quoted(name)}" for name, expression in columns.items()))


def has_gone(tasks: Relation) -> bool:
    """Tell whether there is a column that says when tasks were found gone."""
    return GONE.name in tasks.columns and str(tasks.types[tasks.columns.index(GONE.name)]) == "TIMESTAMP WITH TIME ZONE"


def by_node(tasks: Relation) -> Relation:
    """Return a row a task and node; see `operations.by_node`."""
    nodes = "list_concat(failed_nodes, other_nodes)"
    some = f"CASE WHEN len({nodes}) > 0 THEN {nodes} ELSE [NULL]::VARCHAR[] END"
    rows = tasks.project(f"* EXCLUDE (failed_nodes, other_nodes), {some} AS nodes, len(failed_nodes) AS failed_n")
    rows = rows.project("* EXCLUDE (nodes), unnest(nodes) AS worker_node, generate_subscripts(nodes, 1) AS place")
    return rows.project("* EXCLUDE (failed_n, place), place <= failed_n AS named, failed_n > 0 AS names_some")


def beside(rows: Relation, found: pa.Table, keys: Sequence[str]) -> Relation:
    """Return the rows with the other columns of a small table beside them; see `operations.beside`."""
    task = f"task_{next(NUMBERS)}"
    same = " AND ".join(f"{task}.{key} IS NOT DISTINCT FROM found.{key}" for key in map(_quoted, keys))
    more = ", ".join(f"found.{_quoted(name)}" for name in found.column_names if name not in keys)
    joined = rows.query(task, f"SELECT {task}.*, {more} FROM {task} LEFT JOIN found ON {same}")  # it sees `found`
    assert joined is not None  # as of a statement that gives no rows
    return joined


def spread(rows: Relation, lists: str, names: Sequence[str]) -> Relation:
    """Return lists of one length as columns of these names."""
    columns = [f"{lists}[{place}] AS {_quoted(name)}" for place, name in enumerate(names, 1)]
    return rows.project(", ".join([f"* EXCLUDE ({lists})", *columns]))


def repeated(tasks: Relation, first: str, last: str, name: str) -> Relation:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    return tasks.project(f"*, unnest(range({first}, {last} + 1)) AS {name}")


def in_order(rows: Relation, by: str) -> Iterator[pa.Table | pa.RecordBatch]:
    """Yield the rows in the order of a column, missing ones last; what memory cannot hold is sorted on disk."""
    reader = rows.order(f"{_quoted(by)} NULLS LAST").to_arrow_reader(BATCH)
    yield reader.schema.empty_table()  # there is something to take the types from, whatever comes
    yield from reader


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
