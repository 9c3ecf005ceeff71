"""The window of a report on time, cluster by cluster: each ends when its cluster was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mltasks.engines.dataset import Dataset, Tasks
from mltasks.reports import grouping
from mltasks.reports.periods import Periods
from mltasks.reports.time_window import ReportWindow
from mltasks.reports.totals import Totals
from mltasks.tasks import times


@dataclass(frozen=True)
class ClusterWindows:
    """The windows of the clusters that tasks come from.

    `window` is from the earliest begin to the latest end; `ends` says when each cluster was read [ms]; one of which
    nothing is known is taken as the first. `cut_ms`: the creation before which tasks are missing, since they were
    selected by it when they were read. `slice_rows`: how many tasks there are, and how many were loaded, where these
    are only a part.
    """

    window: ReportWindow
    ends: Mapping[str | None, int]
    cut_ms: int | None = None
    slice_rows: tuple[int, int] | None = None

    @property
    def loaded(self) -> int | None:
        """How many tasks were loaded, where these are only a part."""
        return None if self.slice_rows is None else self.slice_rows[1]

    def end(self, cluster: str | None) -> int:
        """Return the end of the window of a cluster [ms]."""
        others = self.ends.get(None, next(iter(self.ends.values()), self.window.high))
        return min(self.window.high, self.ends.get(cluster, others))

    def is_unknown(self, cluster: str | None, begin: int) -> bool:
        """Tell whether a cluster was read before a part of the window began [ms]."""
        return self.end(cluster) <= begin < self.window.high


def read_windows(given: Any, tasks: Tasks, counts: Totals, periods: Periods | None) -> ClusterWindows:
    """Return the windows of tasks: [since or the first create_time, until or as_of).

    `given`: the tasks as they were given to the report. A frame or a file that holds only tasks created since some
    time has its window from there: what was created before and in flight later is not in it.
    """
    since, until = tasks.filters.since_ms, tasks.filters.until_ms
    as_of = tasks.context.as_of_ms or 0
    cut, cut_end = (_read_cut(given, tasks, name) for name in ("since", "until"))
    begins = [ms for ms in (since, cut) if ms is not None]
    low = max(begins) if begins else counts.first_ms
    high = min(as_of if ms is None else ms for ms in (as_of, until, cut_end))
    window = ReportWindow(as_of if low is None else low, high, periods)
    ends: dict[str | None, int] = {}
    for reading in tasks.context.readings:
        ends[reading.cluster] = max(ends.get(reading.cluster, 0), reading.as_of_ms or 0)
    missing_before = cut if cut is not None and cut >= window.low else None
    return ClusterWindows(window, ends, missing_before, _count_slice(given, tasks.context.rows))


def _count_slice(given: Any, loaded: int | None) -> tuple[int, int] | None:
    """Return how many tasks a frame has and how many were loaded, where its user has left some out."""
    if not isinstance(given, pd.DataFrame) or loaded is None or not 0 < len(given) < loaded:
        return None
    return len(given), loaded


def _read_cut(given: Any, tasks: Tasks, name: str) -> int | None:
    """Return the `since` or `until` that tasks were selected by when they were read, and no longer can be by life."""
    text = tasks.context.filters.get(name)
    ms = times.parse_time(text, None, name) if text else None
    pending = getattr(given.filters, f"{name}_ms") if isinstance(given, Dataset) else None
    return None if ms == pending else ms


def list_known_nodes(tasks: Tasks) -> list[tuple[str | None, str]]:
    """Return the nodes (cluster, id) of the clusters that the filters let pass."""
    words, clusters = grouping.node_words(tasks), tasks.filters.cluster
    return [
        (reading.cluster, node)
        for reading in tasks.context.readings
        if not clusters or (reading.cluster or "").lower() in clusters
        for node, info in (reading.nodes or {}).items()
        if not words or any(word in node.lower() or word in info.name.lower() for word in words)
    ]
