"""The walk over `_search`: every task that is there, or an error.

The endpoint has no scroll, so the walk goes along `_seq_no`, which orders the writes: pages of a range, each proving
in one snapshot that it is whole, up to the newest write at the start (S). Then the walk proves itself: see `_close`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from mltasks.exceptions import DataError
from mltasks.opensearch.access import PAGE_SIZE
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.cluster_info import read_nodes
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.opensearch.page_reader import PageReader, PageRequest
from mltasks.opensearch.retry_policy import CLOSING_TRIES, REFRESH_S
from mltasks.opensearch.seq_no_ledger import SeqNoLedger
from mltasks.tasks.plural import count_of
from mltasks.tasks.schema import DAY_MS

IN_FLIGHT = 10_000  # writes before the newest that can be seen, which may become visible after it
CLOSING_SIZE = 10_000  # hits of the closing page: the most that a server gives at once, by default
ANCHORS = 50  # of the newest tasks, and of the first page: some of them must be found again at the end
DATA_ROLES = frozenset({"data", "search", "warm"})  # of nodes that hold copies of a shard
STILL_MS = 60_000  # a cluster whose newest write is older than this is not being written to


def now_ms() -> int:
    """Return the time in ms since 1970."""
    return time.time_ns() // 1_000_000


class SeqNoPagination:
    """One complete reading of a cluster's tasks; iterate over it to get the pages.

    `query` (OpenSearch query DSL) narrows it, `after` begins it behind a `_seq_no`. A task updated meanwhile comes
    twice: the greater `_seq_no` is newer; no `_seq_no` comes twice.
    Raises ClusterError, or DataError where a page or the walk stays incomplete; with `allow_partial` the walk goes on
    then, and `complete` is False.

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
        self._cluster = cluster
        self._reader = PageReader(cluster, decoder, query, allow_partial)
        self._after = after
        self._size = page_size
        self._progress = progress
        self.as_of_ms = now_ms()
        newest, _ = self._reader.page(PageRequest(ANCHORS, newest=True))
        if not newest.hits:  # that there is nothing at all is proven by no later page: it is asked twice
            newest, _ = self._reader.page(PageRequest(ANCHORS, newest=True))
        self.newest = newest.table
        self.total = newest.total.value if newest.total else 0
        self.shards = newest.shards.total if newest.shards else 0
        self.last_seq_no = newest.last_seq_no
        self._ledger = SeqNoLedger(with_ids=self.shards > 1)
        self._count = self._count_until_s = 0  # of the tasks handed out, and of those that were written up to S
        self._anchors: list[str | None] = newest.table["task_id"].to_pylist()
        if self.total and (self.last_seq_no is None or self.last_seq_no < 0):  # -2: not assigned
            raise DataError(
                f"{cluster.url}: a task without _seq_no, as with a remote metadata store; "
                "its tasks cannot be read completely, and this version does not try"
            )
        written = pc.max(newest.table.column("last_update_time").cast("int64")).as_py()
        self._one_copy: bool | None = None
        self._is_still = written is not None and written < self.as_of_ms - STILL_MS
        if written is not None and written < self.as_of_ms + DAY_MS:  # the cluster's clock may be ahead of ours
            self.as_of_ms = max(self.as_of_ms, written)

    def __iter__(self) -> Iterator[HitsPage]:
        """Yield the pages up to S, then what was written since, until it is proven that nothing is missing."""
        if self.last_seq_no is None:
            return
        try:
            yield from self._read_until_s()
            yield from self._close(self.last_seq_no)
            self._check_index()
        finally:
            self._cluster.cancel_prefetch()

    def _read_until_s(self) -> Iterator[HitsPage]:
        request = PageRequest(self._size, self._after, self.last_seq_no, shards=self.shards)
        closing = self._make_closing_request((self.last_seq_no or 0) - IN_FLIGHT)
        for page in self._pages(request, self.total, closing):
            yield from self._take_new(page)

    def _close(self, newest: int) -> Iterator[HitsPage]:
        """Yield what was written since S, and what the pages missed; raises DataError where that does not end.

        Copies of a shard may be a refresh apart. A task that is updated meanwhile is at its new place for one copy and
        still at its old place for another, so that no page may hold it. Whatever moved so was written shortly before
        its page was read, and stands near the end. So the end, from S - IN_FLIGHT on, is read again: in one page, which
        is one snapshot, and a refresh later, unless nothing moves there, or there is one copy only. One count of what
        was written up to S shows whether any page said less than there was.
        """
        ended, is_refreshed, missing = time.monotonic(), False, 0
        for attempt in range(CLOSING_TRIES):
            count, pages = self._count, 0
            for page in self._pages(self._make_closing_request(newest - (IN_FLIGHT // 2 if attempt else IN_FLIGHT))):
                pages, newest = pages + 1, max(newest, page.last_seq_no or newest)
                yield from self._take_new(page)
            missing = self._count_on_cluster() - self._count_until_s
            if not self.complete:  # which is known, and allowed
                return
            if missing > 0:
                yield from self._read_until_s()
            elif (pages == 1 and (is_refreshed or self._is_quiet(count))) or self._has_one_copy():
                return
            if pages > 1 or missing > 0:
                ended = time.monotonic()
            self._cluster.wait(max(0.0, ended + REFRESH_S - time.monotonic()))
            is_refreshed = True
        reason = (
            f"the cluster counts {count_of(missing)} more than it gives"
            if missing > 0
            else "tasks are written too fast"
        )
        if not self._reader.allow_partial:
            raise DataError(
                f"{self._cluster.url}: incomplete: {reason}; try again, or take what is there with --allow-partial"
            )
        self._reader.complete = False

    def _pages(
        self, request: PageRequest, expected: int | None = None, last: PageRequest | None = None
    ) -> Iterator[HitsPage]:
        """Yield the pages of a range; raises DataError where they hold more hits than `expected`, or than counted."""
        hits, is_last = 0, False
        while not is_last:
            page, request = self._reader.page(request, last)
            count = page.total.value if page.total else 0
            expected = count if expected is None else expected
            hits += page.hits
            is_last = count <= request.size or page.last_seq_no is None
            yield page
            if hits > expected + IN_FLIGHT:
                raise DataError(
                    f"{self._cluster.url}: more tasks come than the {expected} that were counted, without an end; "
                    "try again when fewer are being written"
                )
            request = replace(request, after=page.last_seq_no)

    def _make_closing_request(self, after: int) -> PageRequest:
        bounds = [bound for bound in (after, self._after) if bound is not None and bound >= 0]
        return PageRequest(CLOSING_SIZE, max(bounds, default=None), exact=True, shards=self.shards)

    def _take_new(self, page: HitsPage) -> Iterator[HitsPage]:
        """Yield the page with those of its rows that were not handed out before; nothing where there are none."""
        is_new = self._ledger.take_new(page.table)
        if not is_new.any():
            return
        page = page if is_new.all() else self._reader.decoder.narrow(page, is_new.tolist())
        self._count += page.table.num_rows
        self._count_until_s += pc.sum(pc.less_equal(page.table["seq_no"], self.last_seq_no)).as_py()
        if len(self._anchors) <= ANCHORS:
            self._anchors += page.table["task_id"][:ANCHORS].to_pylist()
        self._progress(min(self._count, self.total), self.total)
        yield page

    def _count_on_cluster(self) -> int:
        """Return how many tasks there are whose last write is in the range up to S."""
        request = PageRequest(0, self._after, self.last_seq_no, exact=True, shards=self.shards)
        page, _ = self._reader.page(request)
        return page.total.value if page.total else 0

    def _is_quiet(self, count: int) -> bool:
        """Tell whether nothing was written lately, and `count` and that at the start are all that was read."""
        is_as_at_start = self._after is not None or self._count_until_s == self.total
        return self._is_still and self._count == count and is_as_at_start

    def _has_one_copy(self) -> bool:
        """Tell whether one node alone can hold tasks; False where the user may not know."""
        if self._one_copy is None:
            nodes = read_nodes(self._cluster) or {}
            self._one_copy = sum(not DATA_ROLES.isdisjoint(node.roles) for node in nodes.values()) == 1
        return self._one_copy

    def _check_index(self) -> None:
        """Raise DataError where the index is not the one that the walk began with.

        In an index made anew the numbers begin again, so that the rest of the range looks empty, and is not. Then
        both the newest tasks at the start and those of the first page are gone; a clean-up takes only the old ones.
        """
        query = {"ids": {"values": [task_id for task_id in self._anchors if task_id is not None]}}
        page, _ = replace(self._reader, query=query).page(PageRequest(1, newest=True))
        if not (page.total and page.total.value):
            raise DataError(
                f"{self._cluster.url}: the task index has been made anew meanwhile (or its oldest and newest "
                "tasks deleted): read it again"
            )

    @property
    def complete(self) -> bool:
        """Whether every page so far was whole, and nothing is known to be missing."""
        return self._reader.complete

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should know about the reading."""
        notes = []
        if not self.complete:
            notes.append("INCOMPLETE: some pages were not whole and --allow-partial was given")
        if self.shards > 1:
            notes.append(f"the task index has {self.shards} shards (made before 2.13): it cannot be synced")
        return tuple(notes)
