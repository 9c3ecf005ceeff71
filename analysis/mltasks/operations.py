"""What narwhals cannot do with a lazy frame, or pandas does slowly: one function each, every engine its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import arrays, duck, table

TEXT = table.PANDAS_TYPES[pa.string()]
NODES = ("failed_nodes", "other_nodes")  # what `by_node` takes
Value = tuple[str, str]  # a column, and what of it


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
    failed, others = (arrays.whole(pa.array(rows[name])) for name in ("failed_nodes", "other_nodes"))
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
