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

from mltasks.engines import data_files as parts
from mltasks.engines import duckdb as duck
from mltasks.engines import duckdb_sql as relations
from mltasks.engines import group_keys as groups
from mltasks.engines import pandas as memory
from mltasks.engines.data_files import Parts
from mltasks.engines.operations import NODES
from mltasks.exceptions import UsageError
from mltasks.tasks import conform as frames
from mltasks.tasks import derived, filters, schema, table
from mltasks.tasks import metadata as context
from mltasks.tasks import times as windows
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import Context
from mltasks.tasks.values import Tally

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

    `keys` are the columns to group by and their dtypes in pandas; a user's own column has table.OWN before its name.
    """

    frame: nw.LazyFrame[Any]
    context: Context
    filters: Filters
    keys: Mapping[str, Any]


def to_arrow(dataset: Dataset) -> pa.Table:
    """Return all rows of a Dataset in memory, unfiltered."""
    with duck.running():
        if isinstance(dataset.frame, Parts):
            return duck.relation(dataset.frame).to_arrow_table().cast(parts.SCHEMA)
        return dataset.frame.to_arrow_table()


def border(
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
    names = groups.split(by)
    native, ctx, before = _opened(tasks, names)
    if as_of is not None:
        ctx = context.as_of(ctx, windows.milliseconds(as_of, ctx.as_of_ms, "as_of"))
    chosen = filters.read(options, ctx.as_of_ms)
    if isinstance(native, Parts):
        with duck.running():
            native = duck.relation(native.within(before, overlap=overlap).within(chosen, overlap=overlap))
    if isinstance(native, duck.Relation):  # the filters say it again, but no engine sees through what they compare
        for some in (before, chosen):
            native = relations.created_within(native, None if overlap else some.since_ms, some.until_ms)
    keys = groups.checked(names, nw.from_native(native).collect_schema(), taken)
    own = {name.removeprefix(table.OWN): name for name in keys if name not in schema.COLUMNS}
    nodes = {*NODES} if "worker_node" in keys else set()
    needed = {*keys, *wanted, *nodes} | ({"end_ms"} if overlap else set())
    if before.error or chosen.error:
        needed |= {"error", "reason"}
    engine: Any = relations if isinstance(native, duck.Relation) else memory
    frame: nw.LazyFrame[Any] = nw.from_native(engine.prepared(native, needed, own)).lazy()
    frame = groups.plain(frame, own.values()).with_columns(**derived.clock(ctx))
    if engine.has_gone(native):
        frame = frame.with_columns(as_of_ms=derived.known_until())
    frame = derived.derive(frame, needed)
    for some in (before, chosen):
        frame = some.apply(frame, ctx.names(), ctx.models(), overlap=overlap)
    columns = dict.fromkeys((*COMPUTED, *derived.CODES, *(needed - {"worker_node"})))
    return Tasks(frame.select(*columns), ctx, filters.merged(before, chosen), keys)


def _opened(tasks: Any, names: Sequence[str]) -> tuple[Any, Context, Filters]:
    """Return a pandas frame, a DuckDB relation or files with each task once, its Context, filters still to apply."""
    if isinstance(tasks, Dataset):
        return tasks.frame, tasks.context, tasks.filters
    if isinstance(tasks, pd.DataFrame):
        return *memory.opened(tasks, names), NO_FILTERS
    found = tasks.to_arrow_table() if isinstance(tasks, duck.Relation) else tasks
    if not isinstance(found, pa.Table):
        raise UsageError(f"cannot report on a {type(tasks).__name__}; give what mltasks.load or mltasks.scan returns")
    rows = table.newest(frames.conform(found, Tally()))
    return duck.relation(rows), table.assume_as_of(rows, Context(source="a table")), NO_FILTERS
