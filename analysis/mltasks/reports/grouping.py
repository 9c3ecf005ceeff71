"""What a row of a report stands for: groups by columns, by node, and by period."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.dataset import Tasks
from mltasks.engines.operations import Value
from mltasks.reports.outcome_codes import KIND, OutcomeCodes
from mltasks.reports.periods import Periods
from mltasks.tasks import conditions, filter_conditions, outcomes, schema, times, user_columns

ALL = "all_tasks"  # the group of the one total row
NODE, PERIOD = "worker_node", "period"


@dataclass(frozen=True)
class TaskGroups:
    """A lazy frame with the keys to group by and their dtypes; node keys make it one row a task and node."""

    frame: nw.LazyFrame[Any]
    types: Mapping[str, Any]
    periods: Periods | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns to group by; there is always at least one."""
        return tuple(self.types)

    @property
    def shown(self) -> list[str]:
        """The keys as they are called in the result."""
        return [user_columns.own_name(key) for key in self.types if key != ALL]

    def by_period(self, frame: nw.LazyFrame[Any], periods: Periods) -> TaskGroups:
        """Return the groups of a frame that has a column `period`, the number of one of `periods`."""
        types = {key: dtype for key, dtype in self.types.items() if key != ALL} | {PERIOD: pd.Int64Dtype()}
        return TaskGroups(frame, types, periods)

    def with_frame(self, frame: nw.LazyFrame[Any]) -> TaskGroups:
        """Return the same groups of another frame."""
        return replace(self, frame=frame)

    def finish(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return a grouped result with readable keys first, in their order; a missing key comes last."""
        if self.keys == (ALL,):
            result = result.reindex([0])  # the total of no tasks is a row, too
        result = result.sort_values(list(self.keys), ignore_index=True)
        if self.periods is not None:
            result[PERIOD] = self.periods.starts(result[PERIOD])
        rest = [name for name in result.columns if name not in self.keys]
        names = {key: user_columns.own_name(key) for key in self.keys}
        return result.rename(columns=names)[self.shown + rest]


def count(
    frame: nw.LazyFrame[Any],
    types: Mapping[str, Any],
    counts: Mapping[str, OutcomeCodes],
    values: Mapping[str, Value],
    quantiles: Mapping[str, tuple[str, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return of each group `tasks`, how many are of some kinds (`counts`), and values; without keys it is one row.

    `types`: the keys, and their dtypes. The frame has a column `kind`; what has a mean, or quantiles, is of one kind.
    """
    values = {"tasks": ("", "len"), **values}
    kinds = operations.aggregate(frame, {**types, KIND: "int64"}, values, quantiles)
    return by_group(kinds, list(types), counts, values, quantiles)


def by_group(
    kind_counts: pd.DataFrame,
    keys: Sequence[str],
    counts: Mapping[str, OutcomeCodes],
    values: Mapping[str, Value],
    of_one: Collection[str] = (),
) -> pd.DataFrame:
    """Return what `count` does from what there is of each group and kind; see `operations.combine_groups`."""
    of_kinds = {name: kind_counts["tasks"].where(kind_counts[KIND].isin(kinds), 0) for name, kinds in counts.items()}
    return operations.combine_groups(
        kind_counts.assign(**of_kinds), keys, {**values, **dict.fromkeys(counts, ("", "sum"))}, of_one
    )


def group(tasks: Tasks) -> TaskGroups:
    """Return the tasks with their keys: the `by` columns, or one group of all."""
    frame = _match_nodes(per_node(tasks.frame), tasks) if NODE in tasks.keys else tasks.frame
    if NODE in tasks.keys and "outcome" in tasks.keys:
        frame = frame.with_columns(outcome=outcomes.outcome())
    if tasks.keys:
        return TaskGroups(frame, tasks.keys)
    return TaskGroups(frame.with_columns(nw.lit(value=True).alias(ALL)), {ALL: pd.BooleanDtype()})


def _match_nodes(frame: nw.LazyFrame[Any], tasks: Tasks) -> nw.LazyFrame[Any]:
    """Return the rows of the nodes that the filter `node` names, where there is one."""
    words = node_words(tasks)
    if not words:
        return frame
    text = nw.col(NODE).cast(nw.String)
    matches = [text.str.to_lowercase().str.contains(word, literal=True) for word in words]
    nodes = filter_conditions.nodes_of_name(tasks.context.node_names(), words)
    matches.append(text.is_in([node for cluster, node in nodes if cluster is None]))
    matches += [(text == node) & (nw.col("cluster") == cluster) for cluster, node in nodes if cluster is not None]
    return frame.filter(conditions.any_of(matches).fill_null(value=False))


def node_words(tasks: Tasks) -> tuple[str, ...]:
    """Return the words of the filter `node`, whether it was given to the report or when the tasks were read."""
    return tuple(dict.fromkeys([*tasks.filters.node, *tasks.context.filters.get("node", [])]))


def by_creation(grouped: TaskGroups, periods: Periods | None, first: int | None, last: int | None) -> TaskGroups:
    """Add the period of create_time, from `first` to `last` [ms], to the keys.

    It is missing where there is no plausible create_time.
    """
    if periods is None:
        return grouped
    start = nw.col("start_ms")
    number = periods.number(start.fill_null(first or 0).cast(nw.Int64), first or 0, last or 0)
    return grouped.by_period(operations.when_then(grouped.frame, PERIOD, ~start.is_null(), number), periods)


def periods(every: str | None, tz: str) -> Periods | None:
    """Read `every` and `tz`; raises UsageError for what cannot be one."""
    times.zone(tz)
    return None if every is None else Periods(times.parse_period(every), tz)


def per_node(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row a task and node, with the outcome on that node; a task without nodes keeps one row without.

    A deployment failed on a node if its error names the node, or if it failed and names none.
    """
    frame = operations.explode_nodes(frame)
    anywhere = outcomes.has_outcome(schema.FAILED, schema.PARTIAL)
    codes = {name: nw.lit(outcomes.OUTCOME[name], dtype=nw.Int8) for name in (schema.FAILED, schema.SUCCEEDED)}
    elsewhere = nw.when(nw.col("names_some") & anywhere).then(codes[schema.SUCCEEDED])
    here = nw.when(nw.col("named")).then(codes[schema.FAILED])
    return frame.with_columns(outcome_code=here.otherwise(elsewhere.otherwise(nw.col("outcome_code"))))
