"""The walk over `_search`: every task that is there, or an error.

The endpoint has no scroll, so the walk goes along `_seq_no`, which orders the writes: pages of a range, each proving
in one snapshot that it is whole, up to the newest write at the start (S); then what was written meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mltasks.exceptions import DataError
from mltasks.opensearch.access import PAGE_SIZE
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.opensearch.page import PageReader, PageRequest
from mltasks.tasks.schema import DAY_MS

IN_FLIGHT = 10_000  # writes before the newest that can be seen, which may become visible after it
ANCHORS = 50  # of the newest tasks, and of the first page: some of them must be found again at the end


def now_ms() -> int:
    """Return the time in ms since 1970."""
    return time.time_ns() // 1_000_000


class SeqNoPagination:
    """One complete reading of a cluster's tasks; iterate over it to get the pages.

    `query` (OpenSearch query DSL) narrows it, `after` begins it behind a `_seq_no`. A task updated meanwhile comes
    twice: the greater `_seq_no` is newer.
    Raises ClusterError, or DataError where a page stays incomplete; with `allow_partial` the walk goes on then, and
    `complete` is False.

    `as_of_ms` is the start of the walk, `total` the number of tasks then, `newest` the rows of the tasks written last,
    `last_seq_no` the newest write (S).
    """

    def __init__(
        self,
        cluster: Cluster,
        decoder: Decoder,
        query: Mapping[str, Any] | None = None,
        *,
        after: int | None = None,
        page_size: int = PAGE_SIZE,
        allow_partial: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._reader = PageReader(cluster, decoder, query, allow_partial)
        self._after = after
        self._size = page_size
        self._progress = progress
        self.as_of_ms = now_ms()
        newest, _ = self._reader.page(PageRequest(ANCHORS, newest=True))
        self.newest = newest.table
        self.total = newest.total.value if newest.total else 0
        self.shards = newest.shards.total if newest.shards else 0
        self.last_seq_no = newest.last_seq_no
        self._anchors: list[str | None] = newest.table["task_id"].to_pylist()
        if self.total and self.last_seq_no is None:
            raise DataError(
                f"{cluster.url}: a task without _seq_no, as with a remote metadata store; "
                "its tasks cannot be read completely, and this version does not try"
            )
        if newest.table.num_rows:  # the cluster's clock may be ahead of ours
            written = newest.table.column("last_update_time").cast("int64")[0].as_py()
            if written is not None and written < self.as_of_ms + DAY_MS:
                self.as_of_ms = max(self.as_of_ms, written)

    def __iter__(self) -> Iterator[HitsPage]:
        """Yield the pages up to S, then what was written since, until nothing is left."""
        if self.last_seq_no is None:
            return
        try:
            yield from self._range(self._after, self.last_seq_no)
            yield from self._range(self.last_seq_no, None)
            self._check_index()
        finally:
            self._reader.cluster.cancel_prefetch()

    def _range(self, after: int | None, until: int | None) -> Iterator[HitsPage]:
        done, rest, size = 0, True, self._size
        while rest:
            page, wanted = self._reader.page(PageRequest(size, after, until, shards=self.shards))
            done += page.table.num_rows
            if page.table.num_rows:
                self._progress(min(done, self.total), self.total)
                if len(self._anchors) <= ANCHORS:
                    self._anchors += page.table["task_id"][:ANCHORS].to_pylist()
                yield page
            size, after = wanted.size, page.last_seq_no
            rest = page.total is not None and page.total.value > size and after is not None

    def _check_index(self) -> None:
        """Raise DataError where the index is not the one that the walk began with.

        In an index made anew the numbers begin again, so that the rest of the range looks empty, and is not. Then
        both the newest tasks at the start and those of the first page are gone; a clean-up takes only the old ones.
        """
        sought = {"ids": {"values": [task_id for task_id in self._anchors if task_id is not None]}}
        found, _ = replace(self._reader, query=sought).page(PageRequest(1, newest=True))
        if not (found.total and found.total.value):
            raise DataError(
                f"{self._reader.cluster.url}: the task index has been made anew meanwhile (or its oldest and newest "
                "tasks deleted): read it again"
            )

    @property
    def complete(self) -> bool:
        """Whether every page so far was whole."""
        return self._reader.complete

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should know about the reading."""
        found = []
        if not self.complete:
            found.append("INCOMPLETE: some pages were not whole and --allow-partial was given")
        if self.shards > 1:
            found.append(f"the task index has {self.shards} shards (made before 2.13): it cannot be synced")
        return tuple(found)
