"""Spark SQL on tasks: nodes and periods laid out, groups counted, lives swept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mltasks.engines.base import NODES, Value
from mltasks.engines.spark_frame import quote_name, quote_text, read_types
from mltasks.tasks.schema import DAY_MS

DataFrame: TypeAlias = Any  # pyspark.sql.DataFrame, of which there are two: classic and of Connect


def look_up(column: str, table: Mapping[str, int], otherwise: int) -> str:
    """Return the small number that a table gives for a text, as SQL."""
    numbers = ", ".join(f"{number}Y" for number in (otherwise, *table.values()))
    place = f"array_position(array({', '.join(map(quote_text, table))}), {quote_name(column)})"
    return f"element_at(array({numbers}), CAST(coalesce({place}, 0L) AS int) + 1)"


def explode_range(rows: DataFrame, first: str, last: str, name: str) -> DataFrame:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    low, high = f"CAST({quote_name(first)} AS BIGINT)", f"CAST({quote_name(last)} AS BIGINT)"
    numbers = f"CASE WHEN {low} <= {high} THEN sequence({low}, {high}) ELSE array() END"  # else it would count down
    return rows.selectExpr("*", f"explode({numbers}) AS {quote_name(name)}")


def explode_nodes(rows: DataFrame) -> DataFrame:
    """Return one row per task and node; see `operations.explode_nodes`."""
    others = [quote_name(name) for name in rows.columns if name not in NODES]
    rows = rows.selectExpr(
        *others,
        "size(failed_nodes) AS failed_n",
        "posexplode_outer(concat(failed_nodes, other_nodes)) AS (place, node)",
    )
    return rows.selectExpr(
        *others, "node AS worker_node", "coalesce(place < failed_n, false) AS named", "failed_n > 0 AS names_some"
    )


def left_join(rows: DataFrame, table: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return the rows with the other columns of a small table beside them; see `operations.left_join`."""
    renamed = table.selectExpr(
        *(
            f"{quote_name(name)} AS {quote_name(_key_of_other(name) if name in keys else name)}"
            for name in table.columns
        )
    )
    same = [rows[quote_name(key)].eqNullSafe(renamed[quote_name(_key_of_other(key))]) for key in keys]
    joined = rows.join(renamed.hint("broadcast"), same, "left")
    others = [name for name in table.columns if name not in keys]
    return joined.selectExpr(*(quote_name(name) for name in (*rows.columns, *others)))


def _key_of_other(key: str) -> str:
    return f"joined:{key}"


def aggregate(
    rows: DataFrame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> DataFrame:
    """Return one row per group; quantiles are exact, linear between ranks."""
    from pyspark.sql import functions

    flags = {name for name, dtype in read_types(rows).items() if dtype == "boolean"}
    columns = {name: _value(column, how, column in flags) for name, (column, how) in values.items()}
    if quantiles:
        (column,) = {column for column, _ in quantiles.values()}
        ranks = ", ".join(f"{rank!r}D" for _, rank in quantiles.values())
        columns["ranks"] = f"percentile({quote_name(column)}, array({ranks}))"
    results = [functions.expr(expression).alias(name) for name, expression in columns.items()]
    grouped = rows.groupBy(*(quote_name(key) for key in keys)).agg(*results)
    if not quantiles:
        return grouped
    single = [f"ranks[{place}] AS {quote_name(name)}" for place, name in enumerate(quantiles)]
    return grouped.selectExpr(*(quote_name(name) for name in (*keys, *values)), *single)


def _value(column: str, how: str, is_flag: bool) -> str:
    """Return a value of a group as SQL; flags are added up as 0 and 1."""
    if how == "len":
        return "count(1)"
    return f"{how}({f'CAST({quote_name(column)} AS int)' if is_flag else quote_name(column)})"


def count_distinct(rows: DataFrame, name: str) -> DataFrame:
    """Return each different row once, and in a column how often it is there."""
    from pyspark.sql import functions

    return rows.groupBy(*map(quote_name, rows.columns)).agg(functions.expr("count(1)").alias(name))


def measure_concurrency(rows: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return one row per group: `active_ms` with at least one task in flight, and the most of those at once.

    `rows` have begin and end [ms]. At one instant ends come before starts: what begins and ends there is netted. A
    group's time is cut into days, so that several executors share its work; each day begins with what is in flight.
    """
    names = ", ".join(quote_name(key) for key in keys)
    columns = [*map(quote_name, keys), "day"]
    events = rows.selectExpr(*map(quote_name, keys), "stack(2, begin, 1, end, -1) AS (instant, step)")
    events = events.selectExpr(*map(quote_name, keys), f"instant DIV {DAY_MS} AS day", "instant", "step")
    of_group, of_day = f"PARTITION BY {names} ORDER BY day", f"PARTITION BY {names}, day ORDER BY instant"
    ends = aggregate(events, [*keys, "day"], {"step": ("step", "sum")}, {}).selectExpr(
        *columns, f"sum(step) OVER ({of_group}) AS step", f"lead(day) OVER ({of_group}) AS next_day"
    )
    begins = ends.filter("step > 0 AND next_day IS NOT NULL").selectExpr(
        *map(quote_name, keys), "explode(sequence(day + 1, next_day)) AS day", "step"
    )
    events = events.unionByName(begins.selectExpr(*columns, f"day * {DAY_MS} AS instant", "step"))
    levels = events.selectExpr(
        *map(quote_name, keys),
        f"sum(step) OVER ({of_day} RANGE UNBOUNDED PRECEDING) AS level",  # with all of the same instant
        f"coalesce(lead(instant) OVER ({of_day}), (day + 1) * {DAY_MS}) - instant AS lasts",
    )
    return aggregate(
        levels.selectExpr(*map(quote_name, keys), "level", "CASE WHEN level > 0 THEN lasts ELSE 0 END AS active"),
        keys,
        {"active_ms": ("active", "sum"), "peak_in_flight": ("level", "max")},
        {},
    )
