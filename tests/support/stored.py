"""Made-up tasks as the files of a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from mltasks.engines.data_files import SCHEMA, DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.tasks import arrow_schema, metadata, schema
from support.generated import Made

Row = dict[str, Any]


def of_stores(made: Made) -> Made:
    """Return the tasks as a store has them: each with a cluster, and no column of the user's own."""
    rows = [{name: row[name] for name in arrow_schema.STORED_SCHEMA.names} for row in made.rows]
    return replace(made, rows=[row | {"cluster": row["cluster"] or "null"} for row in rows])


def month(row: Row) -> str:
    """Return the month of creation, or another word where there is none that can be."""
    created = row["create_time"]
    return (
        "implausible"
        if created is None or created < schema.EARLIEST_MS
        else metadata.to_datetime(created).strftime("%Y-%m")
    )


def dataset(made: Made, folder: Path, created: Callable[[Row], str] = month) -> Dataset:
    """Return the tasks as `scan` gives those of a store: files by cluster and, say, by month of creation."""
    files: dict[tuple[str, str], list[Row]] = {}
    for row in made.rows:
        files.setdefault((row["cluster"], created(row)), []).append(row)
    return Dataset(DataFiles(tuple(_written(folder, *key, rows) for key, rows in files.items())), made.context)


def _written(folder: Path, cluster: str, created: str, rows: list[Row]) -> DataFile:
    path = folder / f"cluster={quote(cluster, safe='')}" / f"created={created}" / "part.pq"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA).drop_columns("cluster"), path)
    return part(rows, path)


def part(rows: list[Row], path: Path = Path("none")) -> DataFile:
    """Return what is known of a file with some tasks of one cluster."""
    created = [row["create_time"] for row in rows if row["create_time"] is not None]
    updated = [row["last_update_time"] for row in rows if row["last_update_time"] is not None]
    return DataFile(
        path,
        rows[0]["cluster"],
        len(rows),
        min(created, default=None),
        max(created, default=None),
        max(updated, default=None),
        sum(schema.STATES.get(row["state"], schema.OPEN) == schema.OPEN for row in rows),
    )
