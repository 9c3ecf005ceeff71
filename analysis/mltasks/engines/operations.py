"""What reports do with a lazy frame that narwhals cannot, or does slowly: each engine its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.engines.base import Frame, engine_of
from mltasks.engines.base import Value as Value
from mltasks.tasks import table

TEXT = table.PANDAS_TYPES[pa.string()]


def case_when(frame: Frame, name: str, conditions: Mapping[int, nw.Expr], otherwise: nw.Expr | int) -> Frame:
    """Add a column: the number of the first condition that holds; what is not known does not hold."""
    return engine_of(frame).case_when(frame, name, conditions, otherwise)


def when_then(frame: Frame, name: str, condition: nw.Expr, value: nw.Expr) -> Frame:
    """Add a column: a number where a condition holds, else nothing; whole numbers may become float64."""
    return engine_of(frame).when_then(frame, name, condition, value)


def explode_range(frame: Frame, first: str, last: str, name: str) -> Frame:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    return engine_of(frame).explode_range(frame, first, last, name)


def explode_nodes(frame: Frame) -> Frame:
    """Return one row a task and node instead of `failed_nodes` and `other_nodes`; a task without nodes keeps one.

    Columns: worker_node, `named` (whether it is one of the failed nodes), `names_some` (whether there is one).
    """
    return engine_of(frame).explode_nodes(frame)


def keep(frame: Frame) -> AbstractContextManager[Frame]:
    """Return the same rows for several questions until the block ends: they are worked out once where that is dear."""
    return engine_of(frame).keep(frame)


def left_join(frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
    """Return the rows with the other columns of a small table beside them, which has one row per group."""
    return engine_of(frame).left_join(frame, table, keys)


def aggregate(
    frame: Frame,
    keys: Mapping[str, Any],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return one row per group: values, and quantiles, linear between ranks.

    `keys`: at least one, and their dtypes. `values`: name -> column, and `len`, `count`, `sum`, `min`, `max` or `mean`
    of it. `quantiles`: name -> column, the same for all, and rank.
    """
    return to_pandas(engine_of(frame).aggregate(frame, list(keys), values, quantiles), keys)


def combine_groups(
    groups: pd.DataFrame, keys: Sequence[str], values: Mapping[str, Value], of_one: Iterable[str] = ()
) -> pd.DataFrame:
    """Return what `aggregate` gives of fewer keys from what it gives of more; without keys it is one row.

    Means and what is `of_one` cannot be combined: at most one of the groups that become one may have a value.
    """
    by = {"len": "sum", "count": "sum", "mean": "max"}
    how = {name: by.get(kind, kind) for name, (_, kind) in values.items()} | dict.fromkeys(of_one, "max")
    if not keys:
        return pd.DataFrame([{name: getattr(groups[name], each)() for name, each in how.items()}], dtype="float64")
    grouped = groups.groupby(list(keys), dropna=False, sort=False, observed=True)
    single = [*of_one, *(name for name, (_, kind) in values.items() if kind == "mean")]
    assert not single or grouped[single].count().to_numpy().max(initial=0) <= 1
    alike = {each: [name for name in how if how[name] == each] for each in dict.fromkeys(how.values())}
    parts = [grouped[names].agg(each) for each, names in alike.items()]
    combined: pd.DataFrame = pd.concat(parts, axis="columns").reset_index()
    return combined


def iter_sorted(frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
    """Yield the rows in the order of some columns, missing ones last, some at a time; texts are categories."""
    return engine_of(frame).iter_sorted(frame, *by)


def measure_load(
    frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what `aggregate` gives by `types`, and by `keys`, which are some of them, the load of the tasks.

    The load: active_ms with at least one task in flight, and peak_in_flight, the most at once; both are missing where
    no row has `spent`. A task is in flight from `begin` to `end` [ms]; at one instant ends come before starts.
    """
    return engine_of(frame).measure_load(frame, keys, types, values)


def to_pandas(frame: Frame, keys: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return a small result in pandas; `keys` are dtypes that are known.

    Other numbers become float64, exact to 2**53, whatever their type in the engine: pandas has no missing ones among
    its plain integers.
    """
    result = engine_of(frame).collect(frame)
    return result.astype({name: _plain(result[name]) for name in result} | dict(keys or {}))


def _plain(column: pd.Series[Any]) -> Any:
    if pd.api.types.is_bool_dtype(column.dtype):
        return pd.BooleanDtype()
    return "float64" if pd.api.types.is_numeric_dtype(column.dtype) else TEXT
