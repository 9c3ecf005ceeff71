"""Columns chosen by conditions: CASE in an engine, numpy in pandas, whose own `where` takes ten times as long."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import pandas as pd

Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


def case_when(frame: Frame, name: str, conditions: Mapping[int, nw.Expr], otherwise: nw.Expr | int) -> Frame:
    """Add a column: the number of the first condition that holds; what is not known does not hold."""
    rest = otherwise if isinstance(otherwise, nw.Expr) else nw.lit(otherwise, dtype=nw.Int8)
    if not frame.implementation.is_pandas():
        for number, condition in reversed([*conditions.items()]):
            rest = nw.when(condition).then(nw.lit(number, dtype=nw.Int8)).otherwise(rest)
        return frame.with_columns(rest.alias(name))
    found = _evaluated(frame, {**{str(number): condition for number, condition in conditions.items()}, "rest": rest})
    numbers = found["rest"].to_numpy("int8", copy=True)
    for number in reversed([*conditions]):
        numbers[_flags(found[str(number)])] = number
    return _with(frame, name, numbers)


def when_then(frame: Frame, name: str, condition: nw.Expr, value: nw.Expr) -> Frame:
    """Add a column: a number where a condition holds, else nothing; whole numbers may become float64 in pandas."""
    if not frame.implementation.is_pandas():
        return frame.with_columns(nw.when(condition).then(value).alias(name))
    found = _evaluated(frame, {"holds": condition, "value": value})
    holds, values = _flags(found["holds"]), found["value"]
    chosen = values if holds.all() else np.where(holds, values.to_numpy("float64", na_value=np.nan), np.nan)
    return _with(frame, name, chosen)


def map_values(frame: Frame, name: str, column: str, table: Mapping[str, int], otherwise: int) -> Frame:
    """Add a column: the number that a table gives for a text; of pandas' categories each is looked up once."""
    if not frame.implementation.is_pandas() or frame.collect_schema()[column] != nw.Categorical:
        texts_of = {number: [text for text in table if table[text] == number] for number in table.values()}
        # compared one by one: DuckDB is slower with a list of texts
        equal = {number: any_of(nw.col(column) == text for text in some) for number, some in texts_of.items()}
        return case_when(frame, name, equal, otherwise)
    texts: Any = _native(frame)[column].array
    numbers = np.array([*(table.get(text, otherwise) for text in texts.categories), otherwise], "int8")
    return _with(frame, name, numbers.take(texts.codes))  # a missing text has the code -1: the last


def any_of(conditions: Iterable[nw.Expr]) -> nw.Expr:
    """Return whether one of some conditions holds."""
    return functools.reduce(operator.or_, conditions)


def _flags(column: pd.Series[Any]) -> Any:
    return column.to_numpy(bool, na_value=False)


def _native(frame: nw.LazyFrame[Any] | nw.DataFrame[Any]) -> pd.DataFrame:
    native: pd.DataFrame = frame.lazy().collect().to_native()
    return native


def _evaluated(frame: nw.LazyFrame[Any] | nw.DataFrame[Any], expressions: Mapping[str, nw.Expr]) -> pd.DataFrame:
    return _native(frame.lazy().select(**expressions))


def _with(frame: Frame, name: str, column: Any) -> Frame:
    found: Any = nw.from_native(_native(frame).assign(**{name: column}))
    same: Frame = found.lazy() if isinstance(frame, nw.LazyFrame) else found
    return same
