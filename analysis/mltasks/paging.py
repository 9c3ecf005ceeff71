"""The walk over `_search`: every task that is there, or an error.

The endpoint has no scroll, so the walk goes along `_seq_no`, which orders the writes: pages of a range, each proving
in one snapshot that it is whole, up to the newest write at the start (S); then what was written meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow.compute as pc

from mltasks import refusals
from mltasks.cluster import Cluster
from mltasks.decode import Decoder, Page
from mltasks.errors import DataError
from mltasks.schema import DAY_MS

PAGE_SIZE = 5000  # measured on 3.6.0: as fast as any, and a page is some 2 MB
TRIES = 4  # at one page that is not whole; each try may be answered by another copy of the shard


def now_ms() -> int:
    """Return the time in ms since 1970."""
    return time.time_ns() // 1_000_000


class Walk:
    """One complete reading of a cluster's tasks; iterate over it to get the pages.

    `query` (OpenSearch query DSL) narrows it. A task updated meanwhile comes twice: the greater `_seq_no` is newer.
    Raises ClusterError, or DataError where a page stays incomplete; with `allow_partial` the walk goes on then, and
    `complete` is False.
    """

    def __init__(
        self,
        cluster: Cluster,
        decoder: Decoder,
        query: Mapping[str, Any] | None = None,
        *,
        page_size: int = PAGE_SIZE,
        allow_partial: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._cluster = cluster
        self._decoder = decoder
        self._query = query
        self._size = page_size
        self._allow_partial = allow_partial
        self._progress = progress
        self.complete = True
        self.body = b""  # of the page handed out last
        self.as_of_ms = now_ms()
        newest = self._ask(None, None, 1, first=True)
        self.total = newest.total.value if newest.total else 0
        self.shards = newest.shards.total if newest.shards else 0
        self.last_seq_no = newest.last_seq_no
        if self.total and self.last_seq_no is None:
            raise DataError(
                f"{cluster.url}: a task without _seq_no, as with a remote metadata store; "
                "its tasks cannot be read completely, and this version does not try"
            )
        if newest.table.num_rows:  # the cluster's clock may be ahead of ours
            written = newest.table.column("last_update_time").cast("int64")[0].as_py()
            if written is not None and written < self.as_of_ms + DAY_MS:
                self.as_of_ms = max(self.as_of_ms, written)

    def __iter__(self) -> Iterator[Page]:
        """Yield the pages up to S, then what was written since, until nothing is left."""
        if self.last_seq_no is None:
            return
        yield from self._range(None, self.last_seq_no)
        yield from self._range(self.last_seq_no, None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should know about the reading."""
        found = []
        if not self.complete:
            found.append("INCOMPLETE: some pages were not whole and --allow-partial was given")
        if self.shards > 1:
            found.append(f"the task index has {self.shards} shards (made before 2.13): it cannot be synced")
        return tuple(found)

    def _range(self, after: int | None, until: int | None) -> Iterator[Page]:
        done = 0
        while True:
            page = self._page(after, until)
            done += page.table.num_rows
            if page.table.num_rows:
                self._progress(min(done, self.total), self.total)
                yield page
            rest = page.total.value if page.total else 0
            if rest <= self._size or page.last_seq_no is None:
                return
            after = page.last_seq_no

    def _page(self, after: int | None, until: int | None) -> Page:
        """Return the page after a cursor, whole; what is wrong with the last try is the error."""
        wrong = ""
        for attempt in range(TRIES):
            if attempt:
                self._cluster.patience.pause(attempt)
            page = self._ask(after, until, self._size)
            wrong = self._doubt(page, after, until)
            if not wrong:
                return page
        if not self._allow_partial:
            raise DataError(
                f"{self._cluster.url}: incomplete: {wrong}; try again, or take what is there with --allow-partial"
            )
        self.complete = False
        return page

    def _doubt(self, page: Page, after: int | None, until: int | None) -> str:
        """Say what shows that a page is not whole; nothing if it is."""
        if page.timed_out:
            return "the search timed out on the server"
        if page.shards is None or page.total is None:
            return "the answer does not say how many shards and hits there are"
        if self.shards and not page.shards.total:
            return "the task index has been removed meanwhile"
        if page.shards.failed or page.shards.successful + page.shards.skipped < page.shards.total:
            return f"{page.shards.failed or 'some'} of {page.shards.total} shards failed"
        whole = min(self._size, page.total.value)
        if page.table.num_rows != whole:
            return f"a page has {page.table.num_rows} hits instead of {whole}"
        if whole:
            bounds = pc.min_max(page.table.column("seq_no")).as_py()
            lowest = -1 if after is None else after + (self.shards <= 1)
            beyond = until is not None and page.last_seq_no is not None and page.last_seq_no > until
            if page.last_seq_no is None or bounds["min"] < lowest or beyond:
                return "a page holds other hits than asked for"
        return ""

    def _ask(self, after: int | None, until: int | None, size: int, first: bool = False) -> Page:
        """Ask for one page, halved while the server calls it too large."""
        answer = self._cluster.search(self._body(after, until, size, first))
        tries = 1
        while answer.too_large:
            if size > 1:
                size = self._size = size // 2
            elif tries < TRIES:
                self._cluster.patience.pause(tries)
                tries += 1
            else:
                raise refusals.refused(self._cluster.url, answer)
            answer = self._cluster.search(self._body(after, until, size, first))
        if answer.no_index:
            return self._decoder.page(b'{"hits":{"total":{"value":0,"relation":"eq"},"hits":[]},"_shards":{}}')
        try:
            page = self._decoder.page(answer.body)
        except DataError:
            raise refusals.not_json(self._cluster.url, answer) from None
        self.body = answer.body
        return page

    def _body(self, after: int | None, until: int | None, size: int, first: bool) -> dict[str, Any]:
        must = [self._query] if self._query else []
        if first:
            return {
                "size": 1,
                "sort": [{"_seq_no": "desc"}],
                "track_total_hits": True,
                "query": {"bool": {"filter": must}},
            }
        # With several shards a number stands once in each: it is asked for again, so that none of its hits is lost
        # between two pages. Whatever comes twice has one id.
        several = self.shards > 1
        bounds = {"gte" if several else "gt": after, "lte": until}
        bounds = {name: value for name, value in bounds.items() if value is not None} or {"gte": 0}
        return {
            "size": size,
            "sort": [{"_seq_no": "asc"}, *([{"_id": "asc"}] if several else [])],
            "track_total_hits": size + 1,  # enough to know whether this is the last page, and counted at no cost
            "query": {"bool": {"filter": [{"range": {"_seq_no": bounds}}, *must]}},
        }
