"""Columns of pandas frames chosen by conditions, in numpy: pandas' own `where` takes ten times as long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.tasks import conditions as expressions
from mltasks.tasks.conditions import Frame


def case_when(frame: Frame, name: str, conditions: Mapping[int, nw.Expr], otherwise: nw.Expr | int) -> Frame:
    """See `conditions.case_when`."""
    rest = otherwise if isinstance(otherwise, nw.Expr) else nw.lit(otherwise, dtype=nw.Int8)
    columns = _evaluate(frame, {**{str(number): condition for number, condition in conditions.items()}, "rest": rest})
    numbers = columns["rest"].to_numpy("int8", copy=True)
    for number in reversed([*conditions]):
        numbers[_flags(columns[str(number)])] = number
    return _assign(frame, name, numbers)


def when_then(frame: Frame, name: str, condition: nw.Expr, value: nw.Expr) -> Frame:
    """See `conditions.when_then`."""
    columns = _evaluate(frame, {"holds": condition, "value": value})
    holds, values = _flags(columns["holds"]), columns["value"]
    chosen = values if holds.all() else np.where(holds, values.to_numpy("float64", na_value=np.nan), np.nan)
    return _assign(frame, name, chosen)


def map_values(frame: Frame, name: str, column: str, table: Mapping[str, int], otherwise: int) -> Frame:
    """See `conditions.map_values`; of categories each is looked up once."""
    texts: Any = _native(frame)[column].array
    if not isinstance(texts, pd.Categorical):
        return case_when(frame, name, expressions.equal_to(column, table), otherwise)
    numbers = np.array([*(table.get(text, otherwise) for text in texts.categories), otherwise], "int8")
    return _assign(frame, name, numbers.take(texts.codes))  # a missing text has the code -1: the last


def _flags(column: pd.Series[Any]) -> Any:
    return column.to_numpy(bool, na_value=False)


def _native(frame: nw.LazyFrame[Any] | nw.DataFrame[Any]) -> pd.DataFrame:
    native: pd.DataFrame = frame.lazy().collect().to_native()
    return native


def _evaluate(frame: nw.LazyFrame[Any] | nw.DataFrame[Any], expressions: Mapping[str, nw.Expr]) -> pd.DataFrame:
    return _native(frame.lazy().select(**expressions))


def _assign(frame: Frame, name: str, column: Any) -> Frame:
    wider: Any = nw.from_native(_native(frame).assign(**{name: column}))
    same: Frame = wider.lazy() if isinstance(frame, nw.LazyFrame) else wider
    return same
