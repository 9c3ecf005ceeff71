"""What narwhals cannot do with a lazy frame, or pandas does slowly: one function each, every engine its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines import duckdb, duckdb_sql
from mltasks.engines.groupby_numpy import GroupedRows
from mltasks.tasks import arrow as arrays
from mltasks.tasks import table

TEXT = table.PANDAS_TYPES[pa.string()]
NODES = ("failed_nodes", "other_nodes")  # what `by_node` takes
Value = tuple[str, str]  # a column, and what of it


def explode_range(frame: nw.LazyFrame[Any], first: str, last: str, name: str) -> nw.LazyFrame[Any]:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    lazy: nw.LazyFrame[Any]
    if not frame.implementation.is_pandas():
        lazy = nw.from_native(duckdb_sql.explode_range(frame.to_native(), first, last, name))
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
        lazy = nw.from_native(duckdb_sql.by_node(frame.to_native()))
        return lazy
    rows = frame.collect().to_native()
    failed, others = (arrays.combine_chunks(pa.array(rows[name])) for name in ("failed_nodes", "other_nodes"))
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


def left_join(frame: nw.LazyFrame[Any], found: pd.DataFrame, keys: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return the rows with the other columns of a small table beside them, which has one row per group."""
    lazy: nw.LazyFrame[Any]
    if not frame.implementation.is_pandas():
        lazy = nw.from_native(
            duckdb_sql.left_join(frame.to_native(), pa.Table.from_pandas(found, preserve_index=False), keys)
        )
        return lazy
    rows = frame.collect().to_native()
    alike = found.astype(dict(rows.dtypes[list(keys)]))  # pandas merges categories by their codes
    lazy = nw.from_native(rows.merge(alike, on=list(keys), how="left")).lazy()
    return lazy


def aggregate(
    frame: nw.LazyFrame[Any],
    keys: Mapping[str, Any],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return one row per group: values, and quantiles, linear between ranks.

    `keys`: at least one, and their dtypes. `values`: name -> column, and `len`, `count`, `sum`, `min`, `max` or `mean`
    of it. `quantiles`: name -> column, the same for all, and rank.
    """
    if not frame.implementation.is_pandas():
        return to_pandas(_is_duckdb(frame, keys, values, quantiles), keys)
    groups = GroupedRows(frame.collect().to_native(), list(keys))
    found = groups.keys.assign(**{name: groups.value(*value) for name, value in values.items()})
    if quantiles:
        (column,) = {column for column, _ in quantiles.values()}
        found[list(quantiles)] = groups.quantiles(column, [rank for _, rank in quantiles.values()])
    return to_pandas(nw.from_native(found).lazy(), keys)


def combine_groups(
    found: pd.DataFrame, keys: Sequence[str], values: Mapping[str, Value], of_one: Iterable[str] = ()
) -> pd.DataFrame:
    """Return what `aggregate` gives of fewer keys from what it gives of more; without keys it is one row.

    A mean, and what is `of_one`, cannot be put together: it must be there for one of the groups that become one.
    """
    by = {"len": "sum", "count": "sum", "mean": "max"}
    how = {name: by.get(kind, kind) for name, (_, kind) in values.items()} | dict.fromkeys(of_one, "max")
    if not keys:
        return pd.DataFrame([{name: getattr(found[name], each)() for name, each in how.items()}], dtype="float64")
    groups = found.groupby(list(keys), dropna=False, sort=False, observed=True)
    single = [*of_one, *(name for name, (_, kind) in values.items() if kind == "mean")]
    assert not single or groups[single].count().to_numpy().max(initial=0) <= 1
    alike = {each: [name for name in how if how[name] == each] for each in dict.fromkeys(how.values())}
    parts = [groups[names].agg(each) for each, names in alike.items()]
    together: pd.DataFrame = pd.concat(parts, axis="columns").reset_index()
    return together


def _is_duckdb(
    frame: nw.LazyFrame[Any],
    keys: Mapping[str, Any],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]],
) -> nw.LazyFrame[Any]:
    found = [
        (nw.len() if how == "len" else getattr(nw.col(column), how)()).alias(name)
        for name, (column, how) in values.items()
    ]
    if not quantiles:
        return frame.group_by(*keys).agg(*found)
    (column,) = {column for column, _ in quantiles.values()}
    ranks: Any = [rank for _, rank in quantiles.values()]  # all at once: that sorts once
    ranked = frame.group_by(*keys).agg(*found, nw.col(column).quantile(ranks, "linear").alias("ranks"))
    lazy: nw.LazyFrame[Any] = nw.from_native(duckdb_sql.unpack_list(ranked.to_native(), "ranks", list(quantiles)))
    return lazy


def iter_sorted(frame: nw.LazyFrame[Any], by: str) -> Iterator[pd.DataFrame]:
    """Yield the rows in the order of a column, missing ones last, some at a time; texts are categories."""
    if frame.implementation.is_pandas():
        rows = frame.collect().to_native()
        yield rows.take(np.argsort(rows[by].to_numpy(), kind="stable"))
        return
    with duckdb.translate_errors():
        for batch in duckdb_sql.iter_sorted(frame.to_native(), by):
            texts = [field.name for field in batch.schema if pa.types.is_string(field.type)]
            yield batch.to_pandas(types_mapper=table.PANDAS_TYPES.get, categories=texts)


def to_pandas(frame: nw.LazyFrame[Any], keys: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return a small result in pandas; `keys` are dtypes that are known.

    Other numbers become float64, exact to 2**53, whatever their type in the engine: DuckDB sums whole numbers to
    decimals, and pandas has no missing ones among its plain integers.
    """
    if frame.implementation.is_pandas():
        found: pd.DataFrame = frame.collect().to_native().reset_index(drop=True)
    else:
        with duckdb.translate_errors():
            arrow = frame.collect("pyarrow").to_native()
        plain = [pa.float64() if pa.types.is_decimal(f.type) else f.type for f in arrow.schema]
        cast = arrow.cast(pa.schema(list(zip(arrow.column_names, plain, strict=True))))
        found = cast.to_pandas(types_mapper=table.PANDAS_TYPES.get)
    return found.astype({name: _plain(found[name]) for name in found} | dict(keys or {}))


def _plain(column: pd.Series[Any]) -> Any:
    if pd.api.types.is_bool_dtype(column.dtype):
        return pd.BooleanDtype()
    return "float64" if pd.api.types.is_numeric_dtype(column.dtype) else TEXT
