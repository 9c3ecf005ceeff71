"""Columns chosen by conditions: as expressions that every engine works out, unless it has a faster way."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

import narwhals as nw

Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


class Conditions(Protocol):
    """How a frame gets columns chosen by conditions: this module's functions, or those of an engine."""

    def case_when(self, frame: Frame, name: str, conditions: Mapping[int, nw.Expr], otherwise: nw.Expr | int) -> Frame:
        """See `case_when`."""

    def when_then(self, frame: Frame, name: str, condition: nw.Expr, value: nw.Expr) -> Frame:
        """See `when_then`."""

    def map_values(self, frame: Frame, name: str, column: str, table: Mapping[str, int], otherwise: int) -> Frame:
        """See `map_values`."""


def case_when(frame: Frame, name: str, conditions: Mapping[int, nw.Expr], otherwise: nw.Expr | int) -> Frame:
    """Add a column: the number of the first condition that holds; what is not known does not hold."""
    rest = otherwise if isinstance(otherwise, nw.Expr) else nw.lit(otherwise, dtype=nw.Int8)
    for number, condition in reversed([*conditions.items()]):
        rest = nw.when(condition).then(nw.lit(number, dtype=nw.Int8)).otherwise(rest)
    return frame.with_columns(rest.alias(name))


def when_then(frame: Frame, name: str, condition: nw.Expr, value: nw.Expr) -> Frame:
    """Add a column: a number where a condition holds, else nothing; whole numbers may become float64."""
    return frame.with_columns(nw.when(condition).then(value).alias(name))


def map_values(frame: Frame, name: str, column: str, table: Mapping[str, int], otherwise: int) -> Frame:
    """Add a column: the number that a table gives for a text."""
    return case_when(frame, name, equal_to(column, table), otherwise)


def equal_to(column: str, table: Mapping[str, int]) -> dict[int, nw.Expr]:
    """Return for each number of a table whether a column is one of its texts."""
    texts = {number: [text for text in table if table[text] == number] for number in table.values()}
    # compared one by one: a list of texts is slower where it is a relation
    return {number: any_of(nw.col(column) == text for text in words) for number, words in texts.items()}


def any_of(conditions: Iterable[nw.Expr]) -> nw.Expr:
    """Return whether one of some conditions holds."""
    return functools.reduce(operator.or_, conditions)
