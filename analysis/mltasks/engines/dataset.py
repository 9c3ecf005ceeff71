"""Tasks in an engine: what `scan` gives, and what a report works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pyarrow as pa

from mltasks.engines import data_files
from mltasks.engines.base import engine_of, import_engine
from mltasks.engines.data_files import LOCAL, DataFiles
from mltasks.engines.reader import Reader
from mltasks.object_storage.path import Place
from mltasks.tasks import schema
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import Context, to_iso

NO_FILTERS = Filters()
FEW = 100_000  # tasks in memory on which pandas reports in less time than DuckDB plans its queries


@dataclass(frozen=True, repr=False)
class Dataset:
    """Tasks that are read when a report needs them; `scan` returns it, and every report takes it.

    Attributes
    ----------
    frame : Any
        A frame of an engine with the stored columns, each task once, or the files of a store.
    context : Context
        What is known of the reading.
    filters : Filters
        Which tasks reports take; each applies them by its own kind of window.
    """

    frame: Any
    context: Context
    filters: Filters = NO_FILTERS

    def __repr__(self) -> str:
        """Return what it is of, on one line."""
        as_of = to_iso(self.context.as_of_ms)
        filters = self.context.filters.items()
        words = [f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in filters]
        return f"<Dataset of {', '.join([self.context.source, *words, *([f'as of {as_of}'] if as_of else [])])}>"


@dataclass(frozen=True)
class Tasks:
    """What a report works on: a lazy frame with stored, derived and helper columns, filtered.

    `keys` are the columns to group by and their dtypes in pandas; a user's own column has user_columns.USER_PREFIX
    before its name.
    """

    frame: nw.LazyFrame[Any]
    context: Context
    filters: Filters
    keys: Mapping[str, Any]


def scan(rows: pa.Table | Place | DataFiles, reader: Reader = LOCAL) -> Any:
    """Return rows in memory, a Parquet file or those of a store as a frame of which a report reads what it needs."""
    return (rows.reader if isinstance(rows, DataFiles) else reader).scan(rows)


def scan_rows(rows: pa.Table, context: Context, reader: Reader = LOCAL) -> Any:
    """Return rows in memory, each task once, as a frame: of pandas where they are few and no engine was named.

    Rows with columns of a user's own stay in Arrow's types.
    """
    is_plain = schema.COLUMNS.keys() >= {*rows.column_names}
    if is_plain and reader.is_local and not reader.is_explicit and len(rows) <= FEW:
        return import_engine("pandas").from_arrow(rows, context)
    return reader.scan(rows)


def open_table(rows: pa.Table) -> Dataset:
    """Return anybody's table of tasks as a Dataset; raises DataError where it holds something else."""
    from mltasks.engines import duckdb

    return Dataset(*duckdb.open_frame(rows, ()))


def to_arrow(dataset: Dataset) -> pa.Table:
    """Return all rows of a Dataset in memory, unfiltered."""
    if isinstance(dataset.frame, DataFiles):
        return data_files.with_schema(_to_arrow(scan(dataset.frame)), data_files.SCHEMA)
    return _to_arrow(dataset.frame)


def _to_arrow(frame: Any) -> pa.Table:
    return engine_of(frame).to_arrow(frame)
