"""A cluster being read: the walk with the filters pushed down, and what the cluster tells beside its tasks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mltasks import progress
from mltasks.exceptions import UsageError
from mltasks.opensearch import pagination, query_dsl
from mltasks.opensearch.access import Access, Query
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.cluster_info import read_cluster_info
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.error_messages import RejectedError
from mltasks.opensearch.page_reader import PageReader, PageRequest
from mltasks.tasks import filter_options, filter_values
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import ClusterInfo, Context


@dataclass(frozen=True)
class ReadSession:
    """A walk that has begun, what the cluster told beside it, and the filters, read."""

    walk: pagination.SeqNoPagination
    reading: ClusterInfo
    filters: Filters
    query: Query
    source: str

    def context(self, tally: UnreadableCounts | None = None) -> Context:
        """Return the Context; with the counts of what could not be read, once the walk is over."""
        tally = tally or UnreadableCounts()
        return Context(
            source=self.source,
            readings=(self.reading,),
            filters=self.filters.describe() | ({"query": json.dumps(self.query)} if self.query else {}),
            complete=self.walk.complete,
            unreadable=dict(tally.counts),
            samples=tally.samples,
            notes=self.walk.notes,
        )


def start(
    cluster: Cluster,
    access: Access,
    options: Mapping[str, Any],
    report: progress.ProgressCallback,
    *,
    window: Window,
) -> ReadSession:
    """Begin the walk over a cluster's tasks, the filters pushed down.

    Raises UsageError where the cluster does not take the user's own query.
    """
    chosen = filter_options.parse(options, pagination.now_ms())
    chosen = dataclasses.replace(chosen, confirmed=_confirm(cluster, chosen))
    own = access.query
    query = query_dsl.query(chosen, dict(own) if own else None, window=window)
    chosen = chosen if query is None else filter_values.confirm_names(chosen)
    try:
        walk = pagination.SeqNoPagination(
            cluster,
            Decoder(cluster.name),
            query,
            page_size=access.page_size,
            allow_partial=access.allow_partial,
            progress=report,
        )
    except RejectedError as error:  # by its first request; later ones ask the same of other numbers
        raise UsageError(str(error)) if own else error from None
    return ReadSession(walk, read_cluster_info(cluster, walk.as_of_ms), chosen, own, cluster.url)


def _confirm(cluster: Cluster, chosen: Filters) -> frozenset[tuple[str, str]]:
    """Return the values that no release knows and some task of the cluster has, created at whatever time."""
    return frozenset(
        (name, word)
        for name, word in filter_values.unknown_words(chosen)
        if name != "cluster" and _has_task(cluster, query_dsl.match_word(name.removeprefix("not_"), word))
    )


def _has_task(cluster: Cluster, query: Query) -> bool:
    """Tell whether a query finds any task; one answer that says no proves nothing, so that it is asked twice."""
    reader = PageReader(cluster, Decoder(), query)
    pages = (reader.page(PageRequest(0, newest=True))[0] for _ in range(2))
    return any(page.total is not None and page.total.value for page in pages)
