"""The load of groups of tasks in one pass over their lives in the order of begin, where an engine gives rows so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.base import Value
from mltasks.engines.groupby_numpy import GroupedRows
from mltasks.engines.peak_in_flight import ConcurrencySweep


def sweep(
    batches: Iterable[pd.DataFrame], keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what `operations.measure_load` does, of rows in the order of begin."""
    numbers: dict[tuple[Any, ...], int] = {}
    levels, parts = ConcurrencySweep(), pd.DataFrame()
    for rows in batches:
        new = operations.aggregate(nw.from_native(rows).lazy(), types, values)
        parts = new if parts.empty else operations.combine_groups(pd.concat([parts, new]), list(types), values)
        lives = GroupedRows(rows[rows["spent"].notna()].astype({"begin": "int64", "end": "int64"}), keys)
        groups = [numbers.setdefault(name, len(numbers)) for name in _name_groups(lives.keys)]
        levels.add(np.repeat(groups, lives.counts), lives.in_order("begin"), lives.in_order("end"))
    groups_of = parts[list(keys)].drop_duplicates(ignore_index=True)
    return parts, with_levels(groups_of, [numbers.get(name) for name in _name_groups(groups_of)], levels)


def sweep_groups(batches: Iterable[tuple[Any, ...]]) -> ConcurrencySweep:
    """Return the load of groups that have a number: `batches` of it, begin and end, in the order of begin."""
    levels = ConcurrencySweep()
    for numbers, begins, ends in batches:
        if len(numbers):
            order = np.argsort(numbers.astype(np.min_scalar_type(numbers.max())), kind="stable")
            levels.add(numbers[order], begins[order], ends[order])
    return levels


def with_levels(groups: pd.DataFrame, numbers: Any, levels: ConcurrencySweep) -> pd.DataFrame:
    """Return groups with their load beside them: missing for one that has no number or no life."""
    loads = {"active_ms": levels.active_ms.astype("float64"), "peak_in_flight": levels.peak.astype("float64")}
    columns = {name: pd.Series(load).reindex(numbers).to_numpy() for name, load in loads.items()}
    return groups.assign(**columns)


def _name_groups(keys: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the groups as tuples; a missing key is None, which is the same everywhere."""
    return keys.astype(object).where(keys.notna(), None).itertuples(index=False, name=None)
