"""Any frame of tasks to the lazy frame that reports work on: the only place that knows engines.

The border adds the derived columns and makes times integers, so that a report is one narwhals definition for pandas
and DuckDB, and no session's time zone matters.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
from duckdb import func

from mltasks import context, derived, filters, frames, schema, table, windows
from mltasks.cells import Tally
from mltasks.context import Context
from mltasks.errors import UsageError
from mltasks.filters import Filters

LIST = "VARCHAR[]"
NO_FILTERS = Filters()
TEXT = table.PANDAS_TYPES[pa.string()]


@dataclass(frozen=True)
class Parsed:
    """A derived column that takes a JSON parser: a function on Arrow arrays, the columns it takes, its SQL type."""

    function: Any
    takes: tuple[str, ...]
    gives: str


PARSED = {
    "reason": Parsed(derived.reason, ("task_type", "error", "response"), "VARCHAR"),
    "failed_nodes": Parsed(derived.failed_nodes, ("task_type", "error"), LIST),
    "other_nodes": Parsed(derived.other_nodes, ("task_type", "error", "worker_node"), LIST),
}
UNGROUPABLE = {
    "nodes": "it holds lists",
    "json": "it holds JSON",
    "time": "it is a time; use --every for periods",
}


@dataclass(frozen=True)
class Dataset:
    """Tasks in an engine: a DuckDB relation with the stored columns, its Context, and filters still to be applied."""

    frame: Any
    context: Context
    filters: Filters = NO_FILTERS


@dataclass(frozen=True)
class Tasks:
    """What a report works on: a lazy frame with stored, derived and helper columns, filtered."""

    frame: nw.LazyFrame[Any]
    context: Context
    filters: Filters
    by: tuple[str, ...]


def relation(rows: pa.Table | Path) -> duckdb.DuckDBPyRelation:
    """Return rows in memory, or a Parquet file, as a relation on a DuckDB connection of its own."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, parsed in PARSED.items():
        takes: list[Any] = [LIST if c == "worker_node" else "VARCHAR" for c in parsed.takes]
        connection.create_function(
            f"task_{name}", parsed.function, takes, parsed.gives, type=func.ARROW, null_handling=func.SPECIAL
        )
    if isinstance(rows, Path):
        return connection.read_parquet(str(rows))
    return connection.from_arrow(rows)


def to_arrow(dataset: Dataset) -> pa.Table:
    """Return all rows of a Dataset in memory, unfiltered."""
    return dataset.frame.to_arrow_table()


def border(
    tasks: Any,
    by: str | Sequence[str],
    options: dict[str, Any],
    *,
    as_of: Any = None,
    overlap: bool = False,
    need: Collection[str] = (),
) -> Tasks:
    """Return what a report works on.

    `tasks`: a DataFrame as from `load`, a Dataset as from `scan`, an Arrow table or a DuckDB relation. `by` is
    checked here, once, so that every engine gives the same error. `need` names columns of PARSED; they are there
    where asked for, and where `by` or a filter goes by them.
    """
    if isinstance(tasks, Dataset):
        native, ctx, before = tasks.frame, tasks.context, tasks.filters
    elif isinstance(tasks, pd.DataFrame):
        native, ctx, before = *_pandas(tasks), Filters()
    else:
        found = tasks.to_arrow_table() if isinstance(tasks, duckdb.DuckDBPyRelation) else tasks
        if not isinstance(found, pa.Table):
            raise UsageError(
                f"cannot report on a {type(tasks).__name__}; give what mltasks.load or mltasks.scan returns"
            )
        rows = table.newest(frames.conform(found, Tally()))
        native, ctx, before = relation(rows), table.assume_as_of(rows, Context(source="a table")), Filters()
    if as_of is not None:
        ctx = context.as_of(ctx, windows.milliseconds(as_of, ctx.as_of_ms, "as_of"))
    names = list(native.columns)
    keys = checked_by(by, names)
    chosen = filters.read(options, ctx.as_of_ms)
    wanted = {*need, *keys} | ({"reason"} if before.error or chosen.error else set())
    if "worker_node" in keys:
        wanted |= {"failed_nodes", "other_nodes"}
    frame = derived.derive(_clocked(native, ctx, wanted))
    for some in (before, chosen):
        frame = some.apply(frame, ctx.names(), ctx.models(), overlap=overlap)
    return Tasks(frame, ctx, filters.merged(before, chosen), keys)


def checked_by(by: str | Sequence[str], names: Collection[str]) -> tuple[str, ...]:
    """Return the columns to group by; raises UsageError for one that is not there or cannot be a group."""
    parts = by.split(",") if isinstance(by, str) else [part for text in by for part in text.split(",")]
    keys = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    groups = [n for n in dict.fromkeys([*schema.COLUMNS, *names]) if _why_not(n) is None]
    for key in keys:
        if key not in schema.COLUMNS and key not in names:
            near = difflib.get_close_matches(key, groups, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(groups)}"
            raise UsageError(f"by: there is no column {key!r}; {hint}")
        if why := _why_not(key):
            raise UsageError(f"by: cannot group by {key!r}: {why}")
    return keys


def _why_not(name: str) -> str | None:
    column = schema.COLUMNS.get(name)
    if column is None or name == "worker_node":  # a task counts in the group of each of its nodes
        return None
    return UNGROUPABLE.get(column.kind)


def _pandas(tasks: pd.DataFrame) -> tuple[Any, Context]:
    """Return a pandas frame with the stored columns, each task once, and its Context."""
    if _as_loaded(tasks) and not tasks.duplicated(list(schema.KEY)).any():
        ctx = context.of(tasks.attrs) or Context(source="a DataFrame")
        if ctx.as_of_ms is not None:
            return tasks, ctx
    rows, found = frames.from_pandas(tasks, Tally())
    rows = table.newest(rows)
    ctx = table.assume_as_of(rows, found or Context(source="a DataFrame"))
    return table.to_pandas(rows, ctx), ctx


def _as_loaded(tasks: pd.DataFrame) -> bool:
    """Tell whether a frame has the columns that `load` gives, in their types."""
    return all(c.name in tasks.columns and tasks[c.name].dtype == table.pandas_type(c) for c in schema.STORED)


def _clocked(native: Any, ctx: Context, wanted: Collection[str]) -> nw.LazyFrame[Any]:
    """Add created_ms, updated_ms, as_of_ms, timeout_ms and nodes_text, and the wanted columns that need a parser."""
    stale = [c.name for c in schema.DERIVED if c.name in native.columns]
    if isinstance(native, duckdb.DuckDBPyRelation):
        added = {
            "created_ms": "epoch_ms(create_time)",
            "updated_ms": "epoch_ms(last_update_time)",
            "nodes_text": "nullif(array_to_string(worker_node, ','), '')",
        }
        added |= {name: f"task_{name}({', '.join(PARSED[name].takes)})" for name in wanted if name in PARSED}
        star = f"* EXCLUDE ({', '.join(stale)})" if stale else "*"
        projected = native.project(", ".join([star, *(f"{sql} AS {name}" for name, sql in added.items())]))
        lazy: nw.LazyFrame[Any] = nw.from_native(projected)
        return lazy.with_columns(**derived.clock(ctx))
    columns: dict[str, Any] = {"nodes_text": native["worker_node"]}
    for name in PARSED.keys() & set(wanted):
        takes = [_array(native, column) for column in PARSED[name].takes]
        columns[name] = _series(PARSED[name].function(*takes), native)
    frame: nw.LazyFrame[Any] = nw.from_native(native.drop(columns=stale).assign(**columns)).lazy()
    return frame.with_columns(
        created_ms=nw.col("create_time").dt.timestamp("ms"),
        updated_ms=nw.col("last_update_time").dt.timestamp("ms"),
        **derived.clock(ctx),
    )


def _series(array: pa.Array, native: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])), index=native.index)


def _array(native: pd.DataFrame, name: str) -> pa.Array:
    texts = pa.array(native[name], pa.string())
    return frames.lists(texts, schema.COLUMNS[name]) if name == "worker_node" else texts


def to_pandas(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Return a small result in pandas, whole numbers as int64 (DuckDB sums them to decimals)."""
    if frame.implementation.is_pandas():
        found: pd.DataFrame = frame.collect().to_native().reset_index(drop=True)
        arrow = [name for name in found if isinstance(found[name].dtype, pd.ArrowDtype)]
        return found.astype(dict.fromkeys(arrow, TEXT))
    arrow = frame.collect("pyarrow").to_native()
    whole = [pa.int64() if pa.types.is_decimal(f.type) else f.type for f in arrow.schema]
    cast = arrow.cast(pa.schema(list(zip(arrow.column_names, whole, strict=True))))
    return pd.DataFrame(cast.to_pandas(types_mapper={pa.string(): TEXT}.get))
