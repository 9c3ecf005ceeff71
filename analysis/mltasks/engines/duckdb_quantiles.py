"""Exact quantiles on DuckDB, of values in memory or, where it does not hold them, of each different one once.

DuckDB's own quantiles keep every value in memory, 8 bytes each, and cannot write them to disk. To count how often each
is there takes a third longer, and can. Durations are whole milliseconds: a hundred million have some hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from mltasks.engines.base import Frame, Value
from mltasks.engines.duckdb_sql import Relation, quote_name

LATER = {"len": "sum", "count": "sum"}  # how what two groups have is combined, where it is not done as before
PLACES = "quantile:first", "quantile:second"  # of a rank: the values on both sides of it


def aggregate_in_memory(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """Return one row per group: values, and quantiles, linear between ranks; see `operations.aggregate`."""
    (column,) = {column for column, _ in quantiles.values()}
    ranks: Any = [rank for _, rank in quantiles.values()]  # all at once: that sorts once
    ranked = frame.group_by(*keys).agg(*_expressions(values), nw.col(column).quantile(ranks, "linear").alias("ranks"))
    columns = [f"ranks[{place}] AS {quote_name(name)}" for place, name in enumerate(quantiles, 1)]
    result: Frame = nw.from_native(ranked.to_native().project(", ".join(["* EXCLUDE (ranks)", *columns])))
    return result


def aggregate_on_disk(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """Return the same, but for the last digit of a mean or quantile."""
    (column,) = {column for column, _ in quantiles.values()}
    first = {name: value for name, value in values.items() if value[1] != "mean"}
    for name, (source, how) in values.items():
        if how == "mean":
            first |= {f"{name}:sum": (source, "sum"), f"{name}:count": (source, "count")}
    times = "quantile:times"
    counted = summarize(frame, [*keys, column], {**first, times: (column, "count")})
    ranked = nw.from_native(_with_ranks(counted.to_native(), keys, column, times, quantiles))
    later = {name: (name, LATER.get(how, how)) for name, (_, how) in first.items()}
    sides = {f"{name}{place}": (f"{name}{place}", "min") for name in quantiles for place in PLACES}
    groups = summarize(ranked, keys, {**later, **sides, "total": ("total", "max")}).to_native()
    columns = [quote_name(key) for key in keys]
    for name, (_, how) in values.items():
        mean = f"{quote_name(f'{name}:sum')} / nullif({quote_name(f'{name}:count')}, 0) AS {quote_name(name)}"
        columns.append(mean if how == "mean" else quote_name(name))
    columns += [f"{_interpolate(name, rank)} AS {quote_name(name)}" for name, (_, rank) in quantiles.items()]
    result: Frame = nw.from_native(groups.project(", ".join(columns)))
    return result


def summarize(frame: Frame, keys: Sequence[str], values: Mapping[str, Value]) -> Frame:
    """Return one row per group, without quantiles."""
    return frame.group_by(*keys).agg(*_expressions(values))


def _expressions(values: Mapping[str, Value]) -> list[nw.Expr]:
    return [
        (nw.len() if how == "len" else getattr(nw.col(column), how)()).alias(name)
        for name, (column, how) in values.items()
    ]


def _with_ranks(
    counted: Relation, keys: Sequence[str], column: str, times: str, quantiles: Mapping[str, tuple[str, float]]
) -> Relation:
    """Add how many values a group has, and of each rank the value where it stands at or after that place."""
    value, names = quote_name(column), ", ".join(map(quote_name, keys))
    counted = counted.project(
        f"*, sum({quote_name(times)}) OVER (PARTITION BY {names}) AS total, sum({quote_name(times)}) OVER "
        f"(PARTITION BY {names} ORDER BY {value} NULLS LAST ROWS UNBOUNDED PRECEDING) AS up_to"
    )
    columns = [
        f"CASE WHEN up_to > {rounded}({_place(rank)}) THEN {value} END AS {quote_name(f'{name}{place}')}"
        for name, (_, rank) in quantiles.items()
        for place, rounded in zip(PLACES, ("floor", "ceil"), strict=True)
    ]
    return counted.project(", ".join(["*", *columns]))


def _place(rank: float) -> str:
    """Return the place of a rank among the values in their order, from 0."""
    return f"({rank!r}::DOUBLE * (total - 1))"


def _interpolate(name: str, rank: float) -> str:
    low, high = (quote_name(f"{name}{place}") for place in PLACES)
    return f"{low} + ({high} - {low}) * ({_place(rank)} - floor{_place(rank)})"
