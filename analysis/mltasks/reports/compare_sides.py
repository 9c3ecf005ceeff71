"""The two sides of a comparison: before and after a time, or all other nodes and one; and what each group has there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.prepare import Tasks
from mltasks.exceptions import UsageError
from mltasks.reports import grouping
from mltasks.reports.declarations.compare import PREVIOUS
from mltasks.reports.grouping import NODE, TaskGroups
from mltasks.reports.statistics.design_effect import block_number, design_effects
from mltasks.tasks import derived, duration_status, outcomes, schema, times
from mltasks.tasks.metadata import to_iso

SIDE, BLOCK = "compare_side", "compare_block"
BEFORE, AFTER = 0, 1
FINISHED = (*schema.COMPLETED, schema.FAILED)


@dataclass(frozen=True)
class Window:
    """The time of each side, [low, high) in ms UTC; the two are the same where nodes are compared."""

    sides: tuple[tuple[int, int], tuple[int, int]]
    note: str

    @property
    def low(self) -> int:
        """The earlier begin."""
        return min(low for low, _ in self.sides)

    @property
    def high(self) -> int:
        """The later end."""
        return max(high for _, high in self.sides)


@dataclass
class Side:
    """What a group has on one side: counts, and durations with the number of the block of time of each.

    Durations are whole milliseconds, in as few bytes as hold them: there may be a hundred million.
    """

    tasks: int = 0
    finished: int = 0
    failed: int = 0
    open: int = 0
    design_effect: float = float("nan")
    took_ms: np.ndarray[Any, Any] = field(default_factory=lambda: np.zeros(0, "int32"))
    blocks: np.ndarray[Any, Any] = field(default_factory=lambda: np.zeros(0, "int8"))
    lasted_ms: np.ndarray[Any, Any] = field(default_factory=lambda: np.zeros(0, "int32"))  # failed, cut off, open


def read_window(tasks: Tasks, span: tuple[int | None, int | None], words: Mapping[str, Any]) -> Window:
    """Return the time of each side; `span` are the first and the last create_time, `words` what was asked for."""
    as_of, (first, last) = tasks.context.as_of_ms, span
    split, since, until = (times.parse_time(words[name], as_of, name) for name in ("split", "since", "until"))
    against, node = words["against"], words["node"]
    low, high = (first or 0) if since is None else since, ((last or 0) + 1) if until is None else until
    if node is not None:
        return Window(((low, high), (low, high)), f"before: all other nodes; after: the node {node}")
    if split is not None or since is None:
        middle = (low + high) // 2 if split is None else split
        if not low < middle < high and last is not None:
            raise UsageError(
                f"compare: split {to_iso(middle)} leaves no time on one side of {to_iso(low)} to "
                f"{to_iso(high)}; give a time between"
            )
        return _in_time(low, middle, middle, high)
    end = as_of if until is None and as_of is not None else high
    begin = since - (end - since) if against in (None, PREVIOUS) else times.parse_time(against, as_of, "against")
    if begin is None or begin >= since:
        raise UsageError(f"compare: against must begin before since, {to_iso(since)}; write previous, or a time before")
    return _in_time(begin, since, since, max(end, since + 1))


def _in_time(*ends: int) -> Window:
    before, after = ends[:2], ends[2:]
    names = zip(("before", "after"), (before, after), strict=True)
    said = "; ".join(f"{name}: created {to_iso(low)} to {to_iso(high)}" for name, (low, high) in names)
    return Window(((before[0], before[1]), (after[0], after[1])), said)


def with_sides(tasks: Tasks, window: Window, node: str | None) -> TaskGroups:
    """Return the tasks of both sides, grouped, with `SIDE` and the block of time within the side."""
    start = nw.col("start_ms")
    frame = tasks.frame.filter(~start.is_null()).filter((start >= window.low) & (start < window.high))
    if node is None:
        is_after = start >= window.sides[AFTER][0]
    else:
        remote = derived.is_one_of("task_type", schema.REGISTRATIONS) & derived.is_one_of("function_name", ["REMOTE"])
        frame = grouping.per_node(frame.filter(~remote)).with_columns(nw.col(NODE).cast(nw.String))
        frame = frame.filter(~nw.col(NODE).is_null())
        is_after = derived.is_one_of(NODE, _find_nodes(tasks, frame, node))
    grouped = grouping.group(replace(tasks, frame=frame, keys={k: v for k, v in tasks.keys.items() if k != NODE}))
    (low1, high1), (low2, high2) = window.sides
    block = nw.when(start < low2).then(block_number(start, low1, high1)).otherwise(block_number(start, low2, high2))
    side = nw.when(is_after).then(nw.lit(AFTER, dtype=nw.Int8)).otherwise(nw.lit(BEFORE, dtype=nw.Int8))
    return grouped.with_frame(grouped.frame.with_columns(side.alias(SIDE), block.cast(nw.Int8).alias(BLOCK)))


def _find_nodes(tasks: Tasks, frame: nw.LazyFrame[Any], word: str) -> list[str]:
    """Return the ids of the nodes that a word means: those of this id or name, else those that contain it."""
    nodes = operations.aggregate(frame, {NODE: operations.TEXT}, {"tasks": ("", "len")})[NODE].dropna()
    names = {node: tasks.context.names().get(node, node) for node in nodes}
    same = [node for node, name in names.items() if word.lower() in (node.lower(), name.lower())]
    near = [node for node, name in names.items() if word.lower() in f"{node}\n{name}".lower()]
    if not (same or near):
        there = ", ".join(sorted(names.values())) or "none"
        raise UsageError(f"node: no task ran on a node {word!r}; there are {there}")
    return same or near


def read_sides(grouped: TaskGroups) -> dict[tuple[Any, ...], tuple[Side, Side]]:
    """Return both sides of each group, by the values of its keys."""
    keys = list(grouped.keys)
    failed, finished = outcomes.has_outcome(schema.FAILED), outcomes.has_outcome(*FINISHED)
    is_open = outcomes.has_outcome(schema.OPEN) & duration_status.has_status("open") & ~duration_status.is_polled()
    flags = {"is_failed": failed, "is_finished": finished, "is_open": is_open}
    frame = grouped.frame.with_columns(**{name: flag.cast(nw.Int64) for name, flag in flags.items()})
    sums = {"tasks": ("", "len"), **{name.removeprefix("is_"): (name, "sum") for name in flags}}
    blocks = operations.aggregate(frame, {**grouped.types, SIDE: "int8", BLOCK: "int8"}, sums)
    sides: dict[tuple[Any, ...], tuple[Side, Side]] = {}
    totals = blocks.groupby([*keys, SIDE], dropna=False, observed=True)[[*sums]].sum().reset_index()
    effects = design_effects(blocks, [*keys, SIDE])
    totals = totals.merge(effects, on=[*keys, SIDE], how="left")
    for row in totals.to_dict("records"):
        side = sides.setdefault(key_of(row[key] for key in keys), (Side(), Side()))[int(row[SIDE])]
        side.tasks, side.finished, side.failed, side.open = (int(row[name]) for name in ("tasks", *_COUNTED))
        side.design_effect = row["design_effect"]
    _add_durations(grouped, sides)
    return sides


_COUNTED = ("finished", "failed", "open")


def _add_durations(grouped: TaskGroups, sides: Mapping[tuple[Any, ...], tuple[Side, Side]]) -> None:
    """Add the durations of completed tasks, in their order, and how long the others have lasted."""
    keys = list(grouped.keys)
    measured = outcomes.has_outcome(*schema.COMPLETED) & duration_status.has_status("measured")
    ended = outcomes.has_outcome(schema.FAILED) & (
        duration_status.has_status("measured") | duration_status.has_status("cut_off")
    )
    is_open = outcomes.has_outcome(schema.OPEN) & duration_status.has_status("open") & ~duration_status.is_polled()
    age, spent = nw.col("as_of_ms") - nw.col("start_ms"), nw.col("updated_ms") - nw.col("created_ms")
    frame = grouped.frame.filter(measured | ended | is_open).with_columns(
        nw.when(is_open).then(age).otherwise(spent).alias("spent_ms"),
        nw.when(measured).then(nw.lit(1, dtype=nw.Int8)).otherwise(nw.lit(0, dtype=nw.Int8)).alias("is_measured"),
    )
    parts: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    columns = [*keys, SIDE, "is_measured"]
    for batch in operations.iter_sorted(frame.select(*columns, "spent_ms", BLOCK), "spent_ms"):
        for values, part in batch.groupby(columns, dropna=False, observed=True, sort=False):
            arrays = _to_few_bytes(part["spent_ms"].to_numpy("int64")), part[BLOCK].to_numpy("int8", copy=True)
            parts.setdefault(key_of(values), []).append(arrays)
    for values in [*parts]:
        side = sides[values[:-2]][AFTER if values[-2] == AFTER else BEFORE]
        spent_ms, blocks = (np.concatenate(arrays) for arrays in zip(*parts.pop(values), strict=True))  # once in memory
        if values[-1]:
            side.took_ms, side.blocks = spent_ms, blocks
        else:
            side.lasted_ms = spent_ms


def _to_few_bytes(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a copy of sorted whole numbers, in four bytes each where these hold them all."""
    return values.astype("int32" if len(values) and abs(values[[0, -1]]).max() < 2**31 else "int64")


def key_of(values: Any) -> tuple[Any, ...]:
    """Return the values of keys so that those of two tables are the same; a missing one is None."""
    return tuple(None if pd.isna(value) else value for value in values)


def read_outcomes(grouped: TaskGroups, wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
    """Return of some groups the create_time [ms] of their finished tasks, in its order, and whether each failed."""
    keys = list(grouped.keys)
    table = pd.DataFrame(wanted, columns=keys).astype(dict(grouped.types)).assign(is_wanted=1)
    frame = operations.left_join(grouped.frame.filter(outcomes.has_outcome(*FINISHED)), table, keys)
    failed = outcomes.has_outcome(schema.FAILED).cast(nw.Int64).alias("is_failed")
    frame = frame.filter(~nw.col("is_wanted").is_null()).with_columns(failed)
    parts: dict[tuple[Any, ...], list[pd.DataFrame]] = {}
    for batch in operations.iter_sorted(frame.select(*keys, "start_ms", "is_failed"), "start_ms"):
        for values, part in batch.groupby(keys, dropna=False, observed=True, sort=False):
            parts.setdefault(key_of(values), []).append(part[["start_ms", "is_failed"]])
    return {values: pd.concat(frames).astype("int64") for values, frames in parts.items()}
