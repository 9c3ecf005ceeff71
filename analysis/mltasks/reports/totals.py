"""Counts of the tasks that a report covers: for the sentence that it begins with, and for its notes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, shared_results
from mltasks.engines.dataset import Tasks
from mltasks.engines.operations import Value
from mltasks.reports import bursts, grouping, outcome_codes
from mltasks.reports.grouping import NODE, PERIOD, TaskGroups
from mltasks.reports.outcome_codes import KIND, OutcomeCodes
from mltasks.reports.periods import Periods
from mltasks.tasks import schema
from mltasks.tasks.metadata import ClusterInfo, Context, to_iso
from mltasks.tasks.plural import count_of

COUNTS = outcome_codes.codes_by_name("unknown", "overdue", "implausible")
VALUES: Mapping[str, Value] = {
    "dated": ("start_ms", "count"),
    "first": ("start_ms", "min"),
    "last": ("start_ms", "max"),
}

Frame = nw.LazyFrame[Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Totals:
    """Counts of the tasks that a report covers, and `counts`: how many of them there are of what has a name.

    `first_ms` and `last_ms` are the earliest and the latest plausible create_time, `undated` the tasks without one.
    """

    def __init__(self, counted: pd.DataFrame, names: Collection[str] = ()) -> None:
        self.tasks = int(counted["tasks"].sum())
        self.undated = self.tasks - int(counted["dated"].sum())
        self.first_ms, self.last_ms = whole_number(counted["first"].min()), whole_number(counted["last"].max())
        self.counts = {name: int(counted[name].sum()) for name in (*COUNTS, *names)}

    def notes(self, tasks: Tasks) -> list[str]:
        """Return what every report says once."""
        notes = [*tasks.context.notes, *_unknown_notes(tasks.context)]
        if tasks.context.as_of_ms is None and self.tasks:
            notes.append("as of an unknown time: no time in the data can be that of a task")
        elif any(reading.as_of_assumed for reading in tasks.context.readings):
            notes.append(f"as of {to_iso(tasks.context.as_of_ms)}, which is assumed: the newest time in the data")
            notes += [
                f"the task {task} alone sets that time, more than an hour after all others; if it is "
                "wrong, give as_of (in Python), or the tasks without it"
                for task in dict.fromkeys(reading.as_of_task for reading in tasks.context.readings)
                if task is not None
            ]
        if unknown := self.counts["unknown"]:
            notes.append(f"{count_of(unknown)} in a state that this version does not know, or in none, counted as open")
        if overdue := self.counts["overdue"]:
            notes.append(
                f"{count_of(overdue, 'open task')} overdue: open for longer than {_limit(tasks.context)} + "
                f"{schema.OVERDUE_GRACE_S} s, so that the record is as likely wrong as late"
            )
        if odd := self.counts["implausible"]:
            notes.append(f"{count_of(odd)} with an implausible time: in the counts, in no duration or load")
        return notes


def _unknown_notes(ctx: Context) -> list[str]:
    """Return what is not known of a cluster beside its tasks, such as what its user may not ask for."""
    asked = [reading for reading in ctx.readings if reading.cluster is not None and not reading.from_rows]
    nodes = [str(reading.cluster) for reading in asked if reading.nodes is None]
    timeout = [str(reading.cluster) for reading in asked if reading.timeout_assumed]
    notes = []
    if nodes:
        notes.append(f"the node names of {', '.join(nodes)} could not be read: the user may not ask for them")
    if timeout:
        notes.append(
            f"the task time-out of {', '.join(timeout)} is not known and is taken as {schema.DEFAULT_TIMEOUT_S} s"
        )
    return notes


def _limit(ctx: Context) -> str:
    limits = {(reading.timeout_assumed, reading.timeout_s) for reading in ctx.readings or (ClusterInfo(),)}
    if len(limits) > 1:
        return "the time-out of its cluster"
    assumed, seconds = limits.pop()
    return f"{'an assumed' if assumed else 'the'} time-out of {seconds} s"


def count_totals(
    tasks: Tasks, counts: Mapping[str, OutcomeCodes] = NOTHING, values: Mapping[str, Value] = NOTHING
) -> Totals:
    """Return the census of all tasks, `counts` and `values` among it."""

    def count() -> Totals:
        frame = tasks.frame.with_columns(outcome_codes.outcome_code().alias(KIND))
        return Totals(grouping.count(frame, {}, {**COUNTS, **counts}, {**VALUES, **values}), [*counts, *values])

    return shared_results.compute_once_of_selection(tasks.frame, ("totals", *counts, *values.items()), count)


def count_groups_and_totals(
    tasks: Tasks,
    periods: Periods | None,
    add: Callable[[Frame], Frame],
    counts: Mapping[str, OutcomeCodes],
    values: Mapping[str, Value],
    doubts: Mapping[str, OutcomeCodes] = NOTHING,
    *,
    has_rate: bool = False,
    **quantiles: Any,
) -> tuple[TaskGroups, pd.DataFrame, Totals]:
    """Return the groups by creation, what `grouping.count` gives of each, and the census, `doubts` among it.

    `add` adds the kind and other columns for each group, since on a node a task may have another outcome. It is one
    pass, after a short one for the span of periods or blocks, where each task is in exactly one group, so that the
    groups add up to the census. With `has_rate` each group has a `design_effect`, too.
    """
    apart = count_totals(tasks, doubts) if NODE in tasks.keys else None
    needs_span = periods is not None or has_rate
    first, last = (apart.first_ms, apart.last_ms) if apart else _span(tasks) if needs_span else (None, None)
    grouped = grouping.by_creation(grouping.group(tasks), periods, first, last)
    grouped = grouped.with_frame(add(grouped.frame))
    all_counts, all_values = {**counts, **({} if apart else {**COUNTS, **doubts})}, {**VALUES, **values}
    if has_rate:
        table = _count_with_bursts(bursts.with_blocks(grouped, first, last), all_counts, all_values)
    else:
        table = grouping.count(grouped.frame, grouped.types, all_counts, all_values, **quantiles)
    census = apart or Totals(table, doubts)
    return grouped, table if periods is None else table[table[PERIOD].notna()], census


def _count_with_bursts(
    grouped: TaskGroups, counts: Mapping[str, OutcomeCodes], values: Mapping[str, Value]
) -> pd.DataFrame:
    """Return what `grouping.count` gives of each group, and its `design_effect`, in one pass over the tasks."""
    values = {"tasks": ("", "len"), **values}
    keys, block = list(grouped.types), {bursts.BLOCK: pd.Int64Dtype()}
    rows = operations.aggregate(grouped.frame, {**grouped.types, KIND: "int64", **block}, values)
    table = grouping.by_group(rows, keys, counts, values)
    blocks = grouping.by_group(rows, [*keys, bursts.BLOCK], outcome_codes.codes_by_name(*bursts.COUNTS), values)
    return bursts.with_design_effect(table, blocks, grouped.types)


def _span(tasks: Tasks) -> tuple[int | None, int | None]:
    """Return the earliest and the latest plausible create_time."""
    if shared_results.is_sharing():  # others will ask for the census
        covered = count_totals(tasks)
        return covered.first_ms, covered.last_ms
    start = nw.col("start_ms")
    span = operations.to_pandas(tasks.frame.select(first=start.min(), last=start.max()))
    return whole_number(span["first"].item()), whole_number(span["last"].item())


def undated_note(census: Totals, place: str = "in no period") -> list[str]:
    """Return the note on tasks that are nowhere in time."""
    n = census.undated
    return [f"{count_of(n)} without a plausible create_time: {place}"] if n else []


def whole_number(value: Any) -> int | None:
    """Return a whole number, or None for a missing one."""
    return None if pd.isna(value) else int(value)
