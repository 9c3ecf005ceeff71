"""DuckDB: rows or a Parquet file as a relation, and what reports compute with beside the stored columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import func

from mltasks import derived, schema

Relation = duckdb.DuckDBPyRelation
SQL = {"text": "VARCHAR", "json": "VARCHAR", "nodes": "VARCHAR[]"}


def relation(rows: pa.Table | Path) -> Relation:
    """Return rows in memory, or a Parquet file, as a relation on a DuckDB connection of its own."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, parsed in derived.PARSED.items():
        takes: list[Any] = [SQL[schema.COLUMNS[column].kind] for column in parsed.takes]
        connection.create_function(
            f"task_{name}", parsed.function, takes, SQL[parsed.gives], type=func.ARROW, null_handling=func.SPECIAL
        )
    if isinstance(rows, Path):
        return connection.read_parquet(str(rows))
    for place, field in enumerate(rows.schema):
        if pa.types.is_null(field.type):  # to DuckDB a column of nothing else would be one of numbers
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.string()))
    return connection.from_arrow(rows)


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
