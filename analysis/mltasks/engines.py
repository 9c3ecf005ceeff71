"""Any frame of tasks to the lazy frame that reports work on.

The border adds the derived columns and makes times integers, so that a report is one narwhals definition for pandas
and DuckDB, and no session's time zone matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from mltasks import arrays, context, derived, duck, filters, frames, groups, parts, reasons, schema, table, windows
from mltasks.cells import Tally
from mltasks.context import Context
from mltasks.errors import UsageError
from mltasks.filters import Filters
from mltasks.operations import NODES
from mltasks.parts import GONE, Parts

NO_FILTERS = Filters()
COMPUTED = (  # what reports compute with, beside keys and flags
    *("task_type", "function_name", "nodes_text", "start_ms", "created_ms", "updated_ms", "as_of_ms"),
)
FEW = ("task_type", "function_name", "state")  # columns with few different texts; `error` where it is needed


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
            native = duck.created_within(native, None if overlap else some.since_ms, some.until_ms)
    keys = groups.checked(names, nw.from_native(native).collect_schema(), taken)
    own = {name.removeprefix(table.OWN): name for name in keys if name not in schema.COLUMNS}
    nodes = {*NODES} if "worker_node" in keys else set()
    needed = {*keys, *wanted, *nodes} | ({"end_ms"} if overlap else set())
    if before.error or chosen.error:
        needed |= {"error", "reason"}
    frame = groups.plain(_prepared(native, needed, own), own.values()).with_columns(**derived.clock(ctx))
    if _has_gone(native):
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
        return *_pandas(tasks, names), NO_FILTERS
    found = tasks.to_arrow_table() if isinstance(tasks, duck.Relation) else tasks
    if not isinstance(found, pa.Table):
        raise UsageError(f"cannot report on a {type(tasks).__name__}; give what mltasks.load or mltasks.scan returns")
    rows = table.newest(frames.conform(found, Tally()))
    return duck.relation(rows), table.assume_as_of(rows, Context(source="a table")), NO_FILTERS


def _pandas(tasks: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, Context]:
    """Return a pandas frame with the stored columns, each task once, and its Context."""
    ctx = context.of(tasks.attrs) or Context(source="a DataFrame")
    if ctx.as_of_ms is not None and _as_loaded(tasks, names) and _each_once(tasks, ctx):
        return tasks, ctx
    rows, found = frames.from_pandas(tasks, Tally())
    rows = table.newest(rows)
    ctx = table.assume_as_of(rows, found or Context(source="a DataFrame"))
    return table.to_pandas(rows, ctx), ctx


def _each_once(tasks: pd.DataFrame, ctx: Context) -> bool:
    """Tell whether no task is in a frame twice.

    To hash all ids costs more than a report. Rows of one load, in which no task was twice, are still of different
    tasks where each was written later than the one before: that is how a cluster is read.
    """
    if ctx.rows is not None and len(tasks) <= ctx.rows:
        written = tasks["seq_no"].to_numpy("int64", na_value=-1)
        if (np.diff(written, prepend=-1) > 0).all():
            return True
    return not tasks.duplicated(list(schema.KEY)).any()


def _as_loaded(tasks: pd.DataFrame, names: Sequence[str]) -> bool:
    """Tell whether a frame has the columns that `load` gives, in their types, and no odd ones to group by."""
    return (
        tasks.columns.is_unique
        and all(c.name in tasks.columns and tasks[c.name].dtype == table.pandas_type(c) for c in schema.STORED)
        and not any(name in tasks.columns and tasks[name].dtype == object for name in names)
    )


def _prepared(native: Any, needed: Collection[str], own: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Return the columns that `duck.prepared` names, in either engine."""
    lazy: nw.LazyFrame[Any]
    if isinstance(native, duck.Relation):
        lazy = nw.from_native(duck.prepared(native, needed, own))
        return lazy
    columns: dict[str, Any] = {name: native[name] for name in schema.STORED_SCHEMA.names}
    few = [*FEW, *(["error"] if {"error", *derived.DURATIONS} & set(needed) else [])]
    with ThreadPoolExecutor() as pool:  # pandas compares texts slowly, their codes fast
        columns |= zip(few, pool.map(lambda name: _categories(native[name]), few), strict=True)
    columns["nodes_text"] = native["worker_node"]
    for name, parsed in reasons.PARSED.items():
        if name in needed:
            found = parsed.function(*(_array(native, column) for column in parsed.takes))
            columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([found])), index=native.index)
    columns |= {name: native[column] for column, name in own.items()}
    columns |= {"created_ms": _ms(native["create_time"]), "updated_ms": _ms(native["last_update_time"])}
    if _has_gone(native):
        columns["gone_ms"] = _ms(native[GONE.name].dt.as_unit("ms"))
    lazy = nw.from_native(pd.DataFrame(columns, copy=False)).lazy()
    return lazy


def _has_gone(native: Any) -> bool:
    """Tell whether some tasks were found gone, as in a store."""
    if isinstance(native, duck.Relation):
        return duck.has_gone(native)
    found = native.get(GONE.name)
    return found is not None and isinstance(found.dtype, pd.DatetimeTZDtype) and bool(found.notna().any())


def _ms(times: pd.Series[Any]) -> pd.Series[Any]:
    """Return times in ms since 1970; nullable only where one is missing, since pandas is slower then."""
    ms = times.dt.tz_localize(None).to_numpy().view("int64")
    missing = times.isna().to_numpy()
    return pd.Series(pd.arrays.IntegerArray(ms, missing) if missing.any() else ms, index=times.index)


def _categories(texts: pd.Series[Any]) -> pd.Series[Any]:
    encoded = arrays.whole(pa.array(texts)).dictionary_encode()
    return pd.Series(encoded.to_pandas().array, index=texts.index)


def _array(native: pd.DataFrame, name: str) -> pa.Array:
    texts = pa.array(native[name], pa.string())
    return frames.lists(texts, schema.COLUMNS[name]) if name == "worker_node" else texts
