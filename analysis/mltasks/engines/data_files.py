"""The data files of a store, each with what it can hold, so that a report reads only those that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mltasks.tasks import schema
from mltasks.tasks.filters import Filters

GONE = pa.field("gone_time", schema.ARROW["time"])  # when a task was found to be deleted on its cluster
SCHEMA = schema.STORED_SCHEMA.append(GONE)  # of the tasks; in a file, all but `cluster`


@dataclass(frozen=True)
class DataFile:
    """A Parquet file with tasks of one cluster.

    `first_ms`, `last_ms`: the least and the greatest create_time; `latest_ms`: the greatest last_update_time; None
    where no task has one. `open`: the tasks in a state that is open or unknown.
    """

    path: Path
    cluster: str
    rows: int
    first_ms: int | None
    last_ms: int | None
    latest_ms: int | None
    open: int


@dataclass(frozen=True)
class DataFiles:
    """Parquet files that no task is twice in."""

    parts: tuple[DataFile, ...]

    def within(self, filters: Filters, *, overlap: bool) -> DataFiles:
        """Return the files that can hold a task which the filters select; `overlap` as in Filters.expression."""
        return DataFiles(tuple(part for part in self.parts if _may_match(part, filters, overlap)))


def _may_match(part: DataFile, filters: Filters, overlap: bool) -> bool:
    # engines disagree on the lower case of some letters: only of ASCII is it certain that a name is another one
    if filters.cluster and part.cluster.isascii() and part.cluster.lower() not in filters.cluster:
        return False
    since, until = filters.since_ms, filters.until_ms
    if since is None and until is None:
        return True
    if part.first_ms is None or part.last_ms is None:
        return False  # what has no time is in no window
    if until is not None and part.first_ms >= until:
        return False
    return since is None or part.last_ms >= since or (overlap and _may_overlap(part, since))


def _may_overlap(part: DataFile, since: int) -> bool:
    """Tell whether a task may have ended after `since`; an open one ends when the cluster was read."""
    return part.open > 0 or (part.latest_ms is not None and part.latest_ms > since)
