"""Tasks in an engine: what `scan` gives, and what a report works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from mltasks.engines import data_files, duckdb
from mltasks.engines.base import engine_of
from mltasks.engines.data_files import DataFiles
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import Context

NO_FILTERS = Filters()


@dataclass(frozen=True)
class Dataset:
    """Tasks in an engine, their Context, and filters still to be applied.

    `frame`: a frame of an engine with the stored columns, each task once, or the files of a store.
    """

    frame: Any
    context: Context
    filters: Filters = NO_FILTERS


@dataclass(frozen=True)
class Tasks:
    """What a report works on: a lazy frame with stored, derived and helper columns, filtered.

    `keys` are the columns to group by and their dtypes in pandas; a user's own column has table.USER_PREFIX before its
    name.
    """

    frame: nw.LazyFrame[Any]
    context: Context
    filters: Filters
    keys: Mapping[str, Any]


def scan(rows: pa.Table | Path | DataFiles) -> Any:
    """Return rows in memory, a Parquet file or those of a store as a frame of which a report reads what it needs."""
    return duckdb.relation(rows)


def open_table(rows: pa.Table) -> Dataset:
    """Return anybody's table of tasks as a Dataset; raises DataError where it holds something else."""
    return Dataset(*duckdb.open_frame(rows, ()))


def to_arrow(dataset: Dataset) -> pa.Table:
    """Return all rows of a Dataset in memory, unfiltered."""
    if isinstance(dataset.frame, DataFiles):
        return data_files.with_schema(_to_arrow(scan(dataset.frame)), data_files.SCHEMA)
    return _to_arrow(dataset.frame)


def _to_arrow(frame: Any) -> pa.Table:
    return engine_of(frame).to_arrow(frame)
