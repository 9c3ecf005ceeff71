"""Any frame of tasks to the lazy frame that reports work on.

The border adds the derived columns and makes times integers, so that a report is one narwhals definition for pandas
and DuckDB, and no session's time zone matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import context, derived, duck, filters, frames, groups, parts, schema, table, windows
from mltasks.cells import Tally
from mltasks.context import Context
from mltasks.errors import UsageError
from mltasks.filters import Filters
from mltasks.parts import GONE, Parts

NO_FILTERS = Filters()
TEXT = table.PANDAS_TYPES[pa.string()]
NODES = {"failed_nodes", "other_nodes"}
COMPUTED = (  # what reports compute with, beside keys and flags
    *("task_type", "function_name", "nodes_text", "start_ms", "end_ms", "updated_ms", "as_of_ms"),
)
Value = tuple[str, str]  # a column, and what of it
FEW = ("task_type", "function_name", "state", "error")  # columns with few different texts


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
    durations: bool = True,
) -> Tasks:
    """Return what a report works on; `taken` are the names of its own columns, `durations` whether it needs them.

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
    wanted = {*keys} | ({"reason"} if before.error or chosen.error else set())
    if "worker_node" in keys:
        wanted |= {"failed_nodes", "other_nodes"}
    own = {name.removeprefix(table.OWN): name for name in keys if name not in schema.COLUMNS}
    frame = groups.plain(_prepared(native, wanted, own), own.values())
    texts = [name for name in derived.TEXTS if name in keys]
    durations = durations or "duration_status" in texts or "duration_s" in keys
    frame = frame.with_columns(**derived.clock(ctx))
    if _has_gone(native):
        frame = frame.with_columns(as_of_ms=derived.known_until())
    frame = derived.derive(frame, texts, durations=durations)
    for some in (before, chosen):
        frame = some.apply(frame, ctx.names(), ctx.models(), overlap=overlap)
    computed = (*COMPUTED, "duration_s", *derived.FLAGS) if durations else (*COMPUTED, *derived.OUTCOMES)
    columns = dict.fromkeys((*computed, *(keys.keys() - {"worker_node"}), *(wanted & NODES)))
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


def _prepared(native: Any, wanted: Collection[str], own: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Return the columns that `duck.prepared` names, in either engine."""
    lazy: nw.LazyFrame[Any]
    if isinstance(native, duck.Relation):
        lazy = nw.from_native(duck.prepared(native, wanted, own))
        return lazy
    columns: dict[str, Any] = {name: native[name] for name in schema.STORED_SCHEMA.names}
    with ThreadPoolExecutor() as pool:  # pandas compares texts slowly, their codes fast
        columns |= zip(FEW, pool.map(lambda name: _categories(native[name]), FEW), strict=True)
    columns["nodes_text"] = native["worker_node"]
    for name, parsed in derived.PARSED.items():
        if name in wanted:
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
    encoded = derived.whole(pa.array(texts)).dictionary_encode()
    return pd.Series(encoded.to_pandas().array, index=texts.index)


def _array(native: pd.DataFrame, name: str) -> pa.Array:
    texts = pa.array(native[name], pa.string())
    return frames.lists(texts, schema.COLUMNS[name]) if name == "worker_node" else texts


def repeat(frame: nw.LazyFrame[Any], first: str, last: str, name: str) -> nw.LazyFrame[Any]:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    lazy: nw.LazyFrame[Any]
    if not frame.implementation.is_pandas():
        lazy = nw.from_native(duck.repeated(frame.to_native(), first, last, name))
        return lazy
    rows = frame.collect().to_native().reset_index(drop=True)
    times = (rows[last] - rows[first] + 1).clip(lower=0).to_numpy("int64")
    found = rows.loc[rows.index.repeat(times)]
    before = np.repeat(times.cumsum() - times, times)
    lazy = nw.from_native(found.assign(**{name: found[first] + np.arange(len(found)) - before})).lazy()
    return lazy


def by_node(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row a task and node instead of `failed_nodes` and `other_nodes`; a task without nodes keeps one.

    Columns: worker_node, `named` (whether it is one of the failed nodes), `names_some` (whether there is one).
    """
    lazy: nw.LazyFrame[Any]
    if not frame.implementation.is_pandas():
        lazy = nw.from_native(duck.by_node(frame.to_native()))
        return lazy
    rows = frame.collect().to_native()
    failed, others = (derived.whole(pa.array(rows[name])) for name in ("failed_nodes", "other_nodes"))
    names_some = pc.greater(pc.list_value_length(failed), 0)
    neither = pc.indices_nonzero(
        pc.and_(pc.invert(names_some), pc.equal(pc.fill_null(pc.list_value_length(others), 0), 0))
    )
    places = [pc.list_parent_indices(failed), pc.list_parent_indices(others), neither]
    nodes = pa.concat_arrays([pc.list_flatten(failed), pc.list_flatten(others), pa.nulls(len(neither), pa.string())])
    place = np.concatenate([np.asarray(some, "int64") for some in places])
    found = rows.drop(columns=[*NODES]).take(place).reset_index(drop=True)
    found["worker_node"] = nodes.dictionary_encode().to_pandas()
    found["named"] = np.arange(len(place)) < len(places[0])
    found["names_some"] = np.asarray(names_some)[place]
    lazy = nw.from_native(found).lazy()
    return lazy


def beside(frame: nw.LazyFrame[Any], found: pd.DataFrame, keys: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return the rows with the other columns of a small table beside them, which has a row a group."""
    lazy: nw.LazyFrame[Any]
    if not frame.implementation.is_pandas():
        lazy = nw.from_native(duck.beside(frame.to_native(), pa.Table.from_pandas(found, preserve_index=False), keys))
        return lazy
    rows = frame.collect().to_native()
    alike = found.astype(dict(rows.dtypes[list(keys)]))  # pandas merges categories by their codes
    lazy = nw.from_native(rows.merge(alike, on=list(keys), how="left")).lazy()
    return lazy


def aggregate(
    frame: nw.LazyFrame[Any],
    keys: Mapping[str, Any],
    flags: Sequence[str],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return a row a group: in how many rows each flag is set, values, and quantiles, linear between ranks.

    `values`: name -> column, and `len`, `count`, `sum`, `min`, `max` or `mean` of it. `quantiles`: name -> column,
    the same for all, and rank. Without keys it is one row.
    """
    if not frame.implementation.is_pandas():
        return to_pandas(_in_duck(frame, keys, flags, values, quantiles), keys)
    native = frame.collect().to_native()
    if not keys:
        row = {**{name: native[name].sum() for name in flags}, **_values(native, values)}
        return pd.DataFrame([row], dtype="Float64").astype("float64")
    numbers, found = _numbered(native, list(keys))
    for name in flags:
        found[name] = np.bincount(numbers[native[name].to_numpy(bool)], minlength=len(found))
    groups = native.groupby(numbers)
    found = found.assign(**_values(groups, values))
    if quantiles:  # all at once: that sorts once
        (column,) = {column for column, _ in quantiles.values()}
        ranked = groups[column].quantile([rank for _, rank in quantiles.values()])
        found[list(quantiles)] = ranked.to_numpy("float64").reshape(-1, len(quantiles))
    return to_pandas(nw.from_native(found).lazy(), keys)


def _numbered(rows: pd.DataFrame, keys: Sequence[str]) -> tuple[Any, pd.DataFrame]:
    """Return the number of each row's group, and the keys of the groups; pandas' own way takes several times longer."""
    numbers, most = np.zeros(len(rows), "int64"), 1
    for key in keys:
        column = rows[key]
        few = isinstance(column.dtype, pd.CategoricalDtype)
        codes, levels = (column.cat.codes.to_numpy(), column.cat.categories) if few else pd.factorize(column)
        if (most := most * (len(levels) + 1)) > 2**62:
            numbers, most = pd.factorize(numbers)[0], len(rows) * (len(levels) + 1)
        numbers = numbers * (len(levels) + 1) + codes + 1  # a missing key has the code -1
    numbers, _ = pd.factorize(numbers)
    first = np.full(numbers.max(initial=-1) + 1, len(rows))
    np.minimum.at(first, numbers, np.arange(len(rows)))
    return numbers, rows[list(keys)].take(first).reset_index(drop=True)


def _values(rows: Any, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return values of a pandas frame, or of its groups."""
    size = rows.size() if hasattr(rows, "ngroup") else len(rows)
    return {name: size if how == "len" else getattr(rows[column], how)() for name, (column, how) in values.items()}


def _in_duck(
    frame: nw.LazyFrame[Any],
    keys: Mapping[str, Any],
    flags: Sequence[str],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]],
) -> nw.LazyFrame[Any]:
    found: list[nw.Expr] = [nw.col(name).sum() for name in flags]
    for name, (column, how) in values.items():
        found.append((nw.len() if how == "len" else getattr(nw.col(column), how)()).alias(name))
    if not quantiles:
        return frame.group_by(*keys).agg(*found) if keys else frame.select(*found)
    (column,) = {column for column, _ in quantiles.values()}
    ranks: Any = [rank for _, rank in quantiles.values()]  # all at once: that sorts once
    ranked = frame.group_by(*keys).agg(*found, nw.col(column).quantile(ranks, "linear").alias("ranks"))
    lazy: nw.LazyFrame[Any] = nw.from_native(duck.spread(ranked.to_native(), "ranks", list(quantiles)))
    return lazy


def to_pandas(frame: nw.LazyFrame[Any], keys: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return a small result in pandas; `keys` are dtypes that are known.

    Other numbers become float64, exact to 2**53, whatever their type in the engine: DuckDB sums whole numbers to
    decimals, and pandas has no missing ones among its plain integers.
    """
    if frame.implementation.is_pandas():
        found: pd.DataFrame = frame.collect().to_native().reset_index(drop=True)
    else:
        with duck.running():
            arrow = frame.collect("pyarrow").to_native()
        plain = [pa.float64() if pa.types.is_decimal(f.type) else f.type for f in arrow.schema]
        cast = arrow.cast(pa.schema(list(zip(arrow.column_names, plain, strict=True))))
        found = cast.to_pandas(types_mapper=table.PANDAS_TYPES.get)
    return found.astype({name: _plain(found[name]) for name in found} | dict(keys or {}))


def _plain(column: pd.Series[Any]) -> Any:
    if pd.api.types.is_bool_dtype(column.dtype):
        return pd.BooleanDtype()
    return "float64" if pd.api.types.is_numeric_dtype(column.dtype) else TEXT
