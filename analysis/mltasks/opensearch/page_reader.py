"""One page of the walk: what is asked for, and what proves that it came whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc

from mltasks.exceptions import DataError
from mltasks.opensearch import completeness, error_messages
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.opensearch.response import Response
from mltasks.opensearch.retry_policy import PAGE_TRIES

TOTAL = re.compile(rb'"total":\{"value":(\d+)')
CURSOR = re.compile(rb'"sort":\[(\d+)(?:,"[^"]*")?\]\}\]\}\}\s*$')
NO_INDEX = b'{"hits":{"total":{"value":0,"relation":"eq"},"hits":[]},"_shards":{}}'


@dataclass(frozen=True)
class PageRequest:
    """The hits with `after` < `_seq_no` <= `until`, at most `size`; or, with `newest`, the last ones and the count.

    `exact` counts all hits of the range, however many. `shards` is how many the index has, once that is known: with
    several, each counts its own `_seq_no`, so that pages begin at >= instead of >: a hit may come twice, none is lost.
    """

    size: int
    after: int | None = None
    until: int | None = None
    newest: bool = False
    exact: bool = False
    shards: int = 1

    def body(self, query: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the request, narrowed by a query."""
        must = [query] if query else []
        if self.newest:
            sort: list[dict[str, str]] = [{"_seq_no": "desc"}]
            return {"size": self.size, "sort": sort, "track_total_hits": True, "query": {"bool": {"filter": must}}}
        several = self.shards > 1
        bounds = {"gte" if several else "gt": self.after, "lte": self.until}
        bounds = {name: value for name, value in bounds.items() if value is not None} or {"gte": 0}
        return {
            "size": self.size,
            "sort": [{"_seq_no": "asc"}, *([{"_id": "asc"}] if several else [])],
            "track_total_hits": True
            if self.exact
            else self.size + 1,  # tells whether this is the last page, and counting so far costs nothing
            "query": {"bool": {"filter": [{"range": {"_seq_no": bounds}}, *must]}},
        }

    def predict_next(self, body: bytes, last: PageRequest | None = None) -> PageRequest | None:
        """Return what is to be asked next, by a glance at both ends of an answer; None where nothing shows it.

        `last` is what is asked after the last page of the range. All of it is a guess to gain time by: what is asked
        for in the end follows from the decoded page.
        """
        total, cursor = TOTAL.search(body[:1000]), CURSOR.search(body[-200:])
        if self.newest or not total or not cursor:
            return None
        if int(total[1]) > self.size:
            return replace(self, after=int(cursor[1]))
        return last

    def why_incomplete(self, page: HitsPage) -> str:
        """Say what shows that a page is not whole; nothing if it is."""
        if reason := completeness.why_incomplete(page):
            return reason
        shards, total = page.shards, page.total
        if shards is None or total is None:
            return "the answer does not say how many shards and hits there are"
        if not self.newest and not shards.total:
            return "the task index has been removed meanwhile"
        rows = page.hits
        whole = min(self.size, total.value)
        if rows != whole:
            return f"a page has {rows} hits instead of {whole}"
        if self.newest or not rows:
            return ""
        if self.shards <= 1 and pc.count_distinct(page.table["seq_no"]).as_py() != page.table.num_rows:
            return "a page holds a task twice"
        lowest = pc.min(page.table.column("seq_no")).as_py()
        least = -1 if self.after is None else self.after + (self.shards <= 1)
        last = page.last_seq_no
        if last is None or lowest < least or (self.until is not None and last > self.until):
            return "a page holds other hits than asked for"
        return ""


@dataclass
class PageReader:
    """Asks a cluster for pages until they are whole; makes them smaller where the server calls them too large."""

    cluster: Cluster
    decoder: Decoder
    query: Mapping[str, Any] | None
    allow_partial: bool = False
    complete: bool = True  # as long as no page was taken that is not whole

    def page(self, request: PageRequest, last: PageRequest | None = None) -> tuple[HitsPage, PageRequest]:
        """Return a whole page, and what was asked for in the end; raises ClusterError or DataError.

        `last` is what will be asked after the last page of the range.
        """
        reason, page, tries = "", None, 0
        while tries < PAGE_TRIES:
            if reason:
                self.cluster.pause(tries)
            response = self.cluster.search(request.body(self.query))
            if response.too_large and request.size > 1:
                request = replace(request, size=request.size // 2)
                continue
            tries += 1
            if following := request.predict_next(response.body, last):
                self.cluster.prefetch(following.body(self.query))
            try:
                page = self._decode(response, last=tries == PAGE_TRIES)
            except DataError as error:
                reason = str(error)
                continue
            reason = request.why_incomplete(page)
            if not reason:
                return page, request
        if page is None or not self.allow_partial:
            remedy = "try again, or take what is there with --allow-partial"
            raise DataError(f"{self.cluster.url}: incomplete: {reason}; {remedy}")
        self.complete = False
        return page, request

    def _decode(self, response: Response, *, last: bool) -> HitsPage:
        """Return the page in a response; raises DataError where another try may bring one, else ClusterError."""
        if response.no_index:
            return self.decoder.page(NO_INDEX)
        if response.too_large:
            if last:
                raise error_messages.error_from_response(self.cluster.url, response)
            raise DataError("the server calls the smallest page too large")
        if last and not response.is_json_object:
            raise error_messages.not_json(self.cluster.url, response)
        return self.decoder.page(response.body)
