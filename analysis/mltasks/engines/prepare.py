"""Any frame of tasks to the lazy frame that reports work on.

The border adds the derived columns and makes times integers, so that a report is one narwhals definition for pandas
and DuckDB, and no session's time zone matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.engines import data_files, duckdb, duckdb_sql, group_keys, pandas
from mltasks.engines.data_files import DataFiles
from mltasks.engines.operations import NODES
from mltasks.exceptions import UsageError
from mltasks.tasks import conform, derived, filters, metadata, schema, table, times
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

NO_FILTERS = Filters()
COMPUTED = (  # what reports compute with, beside keys and flags
    *("task_type", "function_name", "nodes_text", "start_ms", "created_ms", "updated_ms", "as_of_ms"),
)


@dataclass(frozen=True)
class Dataset:
    """Tasks in an engine, their Context, and filters still to be applied.

    `frame`: a DuckDB relation with the stored columns, or the files of a store.
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


def to_arrow(dataset: Dataset) -> pa.Table:
    """Return all rows of a Dataset in memory, unfiltered."""
    with duckdb.translate_errors():
        if isinstance(dataset.frame, DataFiles):
            return data_files.with_schema(duckdb.relation(dataset.frame).to_arrow_table(), data_files.SCHEMA)
        return dataset.frame.to_arrow_table()


def prepare(
    tasks: Any,
    by: str | Sequence[str],
    options: dict[str, Any],
    *,
    taken: Collection[str],
    as_of: Any = None,
    overlap: bool = False,
    wanted: Collection[str] = (),
) -> Tasks:
    """Return what a report works on; `taken` are the names of its own columns, `wanted` what `derived.derive` adds.

    `tasks`: a DataFrame as from `load`, a Dataset as from `scan`, an Arrow table or a DuckDB relation. `by` is
    checked here, once, so that every engine gives the same error.
    """
    names = group_keys.parse_by(by)
    native, ctx, before = _open(tasks, names)
    if as_of is not None:
        ctx = metadata.with_as_of(ctx, times.parse_time(as_of, ctx.as_of_ms, "as_of"))
    chosen = filters.parse(options, ctx.as_of_ms)
    if isinstance(native, DataFiles):
        with duckdb.translate_errors():
            native = duckdb.relation(native.within(before, overlap=overlap).within(chosen, overlap=overlap))
    if isinstance(native, duckdb.Relation):  # the filters say it again, but no engine sees through what they compare
        for some in (before, chosen):
            native = duckdb_sql.created_within(native, None if overlap else some.since_ms, some.until_ms)
    keys = group_keys.resolve_keys(names, nw.from_native(native).collect_schema(), taken)
    own = {name.removeprefix(table.USER_PREFIX): name for name in keys if name not in schema.COLUMNS}
    nodes = {*NODES} if "worker_node" in keys else set()
    needed = {*keys, *wanted, *nodes} | ({"end_ms"} if overlap else set())
    if before.error or chosen.error:
        needed |= {"error", "reason"}
    engine: Any = duckdb_sql if isinstance(native, duckdb.Relation) else pandas
    frame: nw.LazyFrame[Any] = nw.from_native(engine.project(native, needed, own)).lazy()
    frame = group_keys.normalise_types(frame, own.values()).with_columns(**derived.clock(ctx))
    if engine.has_gone(native):
        frame = frame.with_columns(as_of_ms=derived.known_until())
    frame = derived.derive(frame, needed)
    for some in (before, chosen):
        frame = some.apply(frame, ctx.names(), ctx.models(), overlap=overlap)
    columns = dict.fromkeys((*COMPUTED, *derived.CODES, *(needed - {"worker_node"})))
    return Tasks(frame.select(*columns), ctx, filters.combine(before, chosen), keys)


def _open(tasks: Any, names: Sequence[str]) -> tuple[Any, Context, Filters]:
    """Return a pandas frame, a DuckDB relation or files with each task once, its Context, filters still to apply."""
    if isinstance(tasks, Dataset):
        return tasks.frame, tasks.context, tasks.filters
    if isinstance(tasks, pd.DataFrame):
        return *pandas.open_frame(tasks, names), NO_FILTERS
    found = tasks.to_arrow_table() if isinstance(tasks, duckdb.Relation) else tasks
    if not isinstance(found, pa.Table):
        raise UsageError(f"cannot report on a {type(tasks).__name__}; give what mltasks.load or mltasks.scan returns")
    rows = table.deduplicate(conform.conform(found, UnreadableCounts()))
    return duckdb.relation(rows), table.assume_as_of(rows, Context(source="a table")), NO_FILTERS
