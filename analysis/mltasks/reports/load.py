"""The load of tasks in flight: one pass over their lives in the order of begin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks import derived
from mltasks.engines import operations
from mltasks.engines.operations import Value
from mltasks.engines.reduction import Reduction
from mltasks.reports import grouping, kinds
from mltasks.reports.grouping import Grouped
from mltasks.reports.kinds import KIND, Kinds
from mltasks.reports.window import latest

VALUES: Mapping[str, Value] = {"tasks": ("", "len"), "spent": ("spent", "sum")}


@dataclass
class Level:
    """How many tasks of one group are in flight, told of their lives in the order of begin.

    At one instant ends come before starts. It keeps no more than the tasks in flight.
    """

    active_ms: int = 0
    peak: int = 0
    _until: int = 0  # the latest end so far
    _ends: Any = field(default_factory=lambda: np.empty(0, "int64"))  # of the tasks in flight, in their order

    def add(self, begins: Any, ends: Any) -> None:
        """Add the next lives, [begin, end) in ms: `begins` are ascending, and not before those added already."""
        before = np.maximum.accumulate(np.concatenate([[self._until], ends]))
        self.active_ms += int(np.maximum(ends - np.maximum(begins, before[:-1]), 0).sum())
        self._until = before[-1]
        in_flight = np.sort(np.concatenate([self._ends, ends]))
        over = np.searchsorted(in_flight, begins, side="right")
        self.peak = max(self.peak, int((len(self._ends) + np.arange(1, len(begins) + 1) - over).max()))
        self._ends = in_flight[over[-1] :]


def in_flight(grouped: Grouped) -> Grouped:
    """Return the groups with begin and end [ms] of each task's time in flight in its window, and `spent` [ms].

    All are missing where a task is no load in the window.
    """
    start, high = nw.col("start_ms"), nw.col("high_ms")
    none = derived.is_polled() | derived.has_status("clock_skew") | derived.has_status("implausible")
    frame = grouped.frame.with_columns(end=nw.when(~none).then(latest(nw.col("end_ms"), start + 1)))  # at least 1 ms
    begin, end = nw.col("begin"), nw.col("end")
    frame = frame.with_columns(begin=latest(start, nw.col("low_ms")), end=nw.when(end > high).then(high).otherwise(end))
    frame = frame.with_columns(spent=nw.when(begin < end).then(end - begin))
    return grouped.within(frame.select(*grouped.keys, "begin", "end", "spent", kind=kinds.kind()))


def sweep(grouped: Grouped, counts: Mapping[str, Kinds]) -> pd.DataFrame:
    """Return tasks, `counts`, task_s [s], active_s [s] and peak_in_flight of each group; `grouped` as from `in_flight`.

    It is one pass over the rows in the order of their begin. What has no load has neither active_s nor a peak.
    """
    keys = list(grouped.keys)
    levels: dict[Any, Level] = defaultdict(Level)
    found = []
    for rows in operations.in_order(grouped.frame, "begin"):
        found.append(operations.aggregate(nw.from_native(rows).lazy(), {**grouped.types, KIND: "int64"}, VALUES))
        lives = Reduction(rows[rows["spent"].notna()].astype({"begin": "int64", "end": "int64"}), keys)
        for group, begins, ends in zip(_named(lives.keys), lives.parts("begin"), lives.parts("end"), strict=True):
            levels[group].add(begins, ends)
    table = grouping.by_group(pd.concat(found), keys, counts, VALUES)
    table["task_s"] = table.pop("spent") / 1000
    load = [levels.get(group) for group in _named(table[keys])]
    table["active_s"] = [level.active_ms / 1000 if level else None for level in load]
    table["peak_in_flight"] = [level.peak if level else None for level in load]
    return table.astype({"active_s": "float64", "peak_in_flight": "float64"})


def _named(keys: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the groups as tuples; a missing key is None, which is the same everywhere."""
    return keys.astype(object).where(keys.notna(), None).itertuples(index=False, name=None)
