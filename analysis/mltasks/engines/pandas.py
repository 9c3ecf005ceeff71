"""The engine pandas: a frame of tasks as `load` gives it, or as users have changed it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines import load_sweep
from mltasks.engines.base import NODES, Frame, Value
from mltasks.engines.conditions_numpy import case_when as case_when
from mltasks.engines.conditions_numpy import map_values as map_values
from mltasks.engines.conditions_numpy import when_then as when_then
from mltasks.engines.data_files import GONE
from mltasks.engines.groupby_numpy import GroupedRows
from mltasks.tasks import (
    arrow,
    arrow_schema,
    conform,
    deduplicate,
    derived,
    failure_reason,
    metadata,
    node_lists,
    schema,
    table,
)
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

PLAIN = (pd.StringDtype, pd.DatetimeTZDtype, pd.BooleanDtype, pd.Int64Dtype, pd.UInt64Dtype, pd.Float64Dtype)
FEW = ("task_type", "function_name", "state")  # columns with few different texts; `error` where it is needed


def open_frame(tasks: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, Context]:
    """Return a pandas frame with the stored columns, each task once, and its Context."""
    ctx = metadata.read_attrs(tasks.attrs) or Context(source="a DataFrame")
    if not {*tasks.index.names}.isdisjoint(tasks.columns):  # pandas does not group by a name that means two things
        tasks = tasks.rename_axis([None] * tasks.index.nlevels)
    if ctx.as_of_ms is not None and _is_as_loaded(tasks, names) and _is_unique(tasks, ctx):
        if ctx.rows != len(tasks):  # of several readings, or of a part of one
            ctx = table.note_shared_ids(pa.table({key: pa.array(tasks[key]) for key in schema.KEY}), ctx)
        return _with_arrow_keys(tasks, names), ctx
    rows, context = conform.from_pandas(tasks, UnreadableCounts())
    rows = deduplicate.deduplicate(rows)
    ctx = table.note_shared_ids(rows, table.assume_as_of(rows, context or Context(source="a DataFrame")))
    return _with_arrow_keys(table.to_pandas(rows, ctx), names), ctx


def _with_arrow_keys(tasks: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a frame whose columns to group by have types that every engine knows, as other engines get them."""
    own = [name for name in names if name in tasks and name not in schema.COLUMNS]
    columns = {name: _arrow_key(tasks[name]) for name in own if not _is_plain(tasks[name].dtype)}
    return tasks.assign(**columns) if columns else tasks


def _is_plain(dtype: Any) -> bool:
    """Tell whether a column is of numbers, flags, times or texts in a way that narwhals groups by."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biufmM" and dtype != np.float16
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.api.types.is_string_dtype(dtype.categories.dtype) and dtype.categories.dtype != object
    return isinstance(dtype, PLAIN)


def _arrow_key(column: pd.Series[Any]) -> pd.Series[Any]:
    values = conform.own_column(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=column.index)


def from_arrow(rows: pa.Table, context: Context) -> pd.DataFrame:
    """Return rows as the frame that `load` gives."""
    return table.to_pandas(rows, context)


def to_arrow(tasks: pd.DataFrame) -> pa.Table:
    """Return a frame with lists of nodes, as it is elsewhere."""
    return conform.from_pandas(tasks, UnreadableCounts())[0]


def prune(tasks: pd.DataFrame, since_ms: int | None, until_ms: int | None) -> pd.DataFrame:
    """Return all tasks: they are in memory already."""
    return tasks


def translate_errors() -> AbstractContextManager[None]:
    """Translate nothing: what pandas raises is our fault."""
    return nullcontext()


def _is_unique(tasks: pd.DataFrame, ctx: Context) -> bool:
    """Tell whether no task is in a frame twice.

    To hash all ids costs more than a report. Rows of one load, in which no task was twice, are still of different
    tasks where each was written later than the one before: that is how a cluster is read.
    """
    if ctx.rows == len(tasks):
        written = tasks["seq_no"].to_numpy("int64", na_value=-1)
        if (np.diff(written, prepend=-1) > 0).all():
            return True
    return not tasks.duplicated(list(schema.KEY)).any()


def _is_as_loaded(tasks: pd.DataFrame, names: Sequence[str]) -> bool:
    """Tell whether a frame has the columns that `load` gives, in their types, and no odd ones to group by."""
    return (
        tasks.columns.is_unique
        and all(c.name in tasks.columns and tasks[c.name].dtype == table.pandas_type(c) for c in schema.STORED)
        and not any(name in tasks.columns and tasks[name].dtype == object for name in names)
        and node_lists.are_comma_joined(pa.array(tasks["worker_node"]))
    )


def project(tasks: pd.DataFrame, needed: Collection[str], own: Mapping[str, str]) -> Frame:
    """Return the columns that reports compute with; see `Engine.project`."""
    columns: dict[str, Any] = {name: tasks[name] for name in arrow_schema.STORED_SCHEMA.names}
    few = [*FEW, *(["error"] if {"error", *derived.DURATIONS} & set(needed) else [])]
    with ThreadPoolExecutor() as pool:  # pandas compares texts slowly, their codes fast
        columns |= zip(few, pool.map(_categories, [tasks[name] for name in few]), strict=True)
    columns["nodes_text"] = tasks["worker_node"]
    for name, parsed in failure_reason.JSON_COLUMNS.items():
        if name in needed:
            array = parsed.function(*(_array(tasks, column) for column in parsed.takes))
            columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])), index=tasks.index)
    columns |= {name: tasks[column] for column, name in own.items()}
    columns |= {"created_ms": _ms(tasks["create_time"]), "updated_ms": _ms(tasks["last_update_time"])}
    if has_gone(tasks):
        columns["gone_ms"] = _ms(tasks[GONE.name].dt.as_unit("ms"))
    return _lazy(pd.DataFrame(columns, copy=False))


def has_gone(tasks: pd.DataFrame) -> bool:
    """Tell whether some tasks were found gone, as in a store."""
    times = tasks.get(GONE.name)
    return times is not None and isinstance(times.dtype, pd.DatetimeTZDtype) and bool(times.notna().any())


def explode_range(frame: Frame, first: str, last: str, name: str) -> Frame:
    """See `operations.explode_range`."""
    rows = _native(frame).reset_index(drop=True)
    times = (rows[last] - rows[first] + 1).clip(lower=0).to_numpy("int64")
    repeated = rows.loc[rows.index.repeat(times)]
    before = np.repeat(times.cumsum() - times, times)
    return _lazy(repeated.assign(**{name: repeated[first] + np.arange(len(repeated)) - before}))


def explode_nodes(frame: Frame) -> Frame:
    """See `operations.explode_nodes`."""
    rows = _native(frame)
    failed, others = (arrow.combine_chunks(pa.array(rows[name])) for name in NODES)
    names_some = pc.greater(pc.list_value_length(failed), 0)
    neither = pc.indices_nonzero(
        pc.and_(pc.invert(names_some), pc.equal(pc.fill_null(pc.list_value_length(others), 0), 0))
    )
    places = [pc.list_parent_indices(failed), pc.list_parent_indices(others), neither]
    nodes = pa.concat_arrays([pc.list_flatten(failed), pc.list_flatten(others), pa.nulls(len(neither), pa.string())])
    place = np.concatenate([np.asarray(part, "int64") for part in places])
    exploded = rows.drop(columns=[*NODES]).take(place).reset_index(drop=True)
    exploded["worker_node"] = nodes.dictionary_encode().to_pandas()
    exploded["named"] = np.arange(len(place)) < len(places[0])
    exploded["names_some"] = np.asarray(names_some)[place]
    return _lazy(exploded)


def keep(frame: Frame) -> AbstractContextManager[Frame]:
    """See `operations.keep`; they are in memory."""
    return nullcontext(frame)


def left_join(frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
    """See `operations.left_join`."""
    rows = _native(frame)
    alike = table.astype(dict(rows.dtypes[list(keys)]))  # pandas merges categories by their codes
    return _lazy(rows.merge(alike, on=list(keys), how="left"))


def aggregate(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """See `operations.aggregate`."""
    groups = GroupedRows(_native(frame), keys)
    result = groups.keys.assign(**{name: groups.value(*value) for name, value in values.items()})
    if quantiles:
        (column,) = {column for column, _ in quantiles.values()}
        result[list(quantiles)] = groups.quantiles(column, [rank for _, rank in quantiles.values()])
    return _lazy(result)


def measure_load(
    frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """See `operations.measure_load`."""
    return load_sweep.sweep(iter_sorted(frame, "begin"), keys, types, values)


def iter_sorted(frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
    """See `operations.iter_sorted`; they are in memory, so it is all at once."""
    rows = _native(frame)
    yield rows.take(np.lexsort([rows[name].to_numpy("float64", na_value=np.nan) for name in reversed(by)]))


def collect(frame: Frame) -> pd.DataFrame:
    """Return a result in pandas, with an index of its own."""
    return _native(frame).reset_index(drop=True)


def _native(frame: Frame) -> pd.DataFrame:
    rows: pd.DataFrame = frame.collect().to_native()
    return rows


def _lazy(rows: pd.DataFrame) -> Frame:
    frame: Frame = nw.from_native(rows).lazy()
    return frame


def _ms(times: pd.Series[Any]) -> pd.Series[Any]:
    """Return times in ms since 1970; nullable only where one is missing, since pandas is slower then."""
    ms = times.dt.tz_localize(None).to_numpy().view("int64")
    missing = times.isna().to_numpy()
    return pd.Series(pd.arrays.IntegerArray(ms, missing) if missing.any() else ms, index=times.index)


def _categories(texts: pd.Series[Any]) -> pd.Series[Any]:
    encoded = arrow.combine_chunks(pa.array(texts)).dictionary_encode()
    return pd.Series(encoded.to_pandas().array, index=texts.index)


def _array(tasks: pd.DataFrame, name: str) -> pa.Array:
    texts = pa.array(tasks[name], pa.string())
    return node_lists.split_lists(texts, schema.COLUMNS[name]) if name == "worker_node" else texts
