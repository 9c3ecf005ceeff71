"""Stores without a cluster: hits put into the files as a sync does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from mltasks.opensearch.decode import Decoder
from mltasks.store import manifest
from mltasks.store.manifest import Snapshot
from mltasks.store.transaction import open_transaction
from mltasks.store.upsert import Upsert
from mltasks.tasks.metadata import ClusterInfo
from support.documents import page

AS_OF = 1_764_000_000_000  # 2025-11-24 16:00 UTC
DAY = 86_400_000


def rows(cluster: str, hits: list[dict[str, Any]]) -> pa.Table:
    """Return hits as the rows of a page."""
    return Decoder(cluster).page(page(hits)).table


def put(folder: Path, cluster: str, hits: list[dict[str, Any]], reading: ClusterInfo | None = None) -> Snapshot:
    """Put hits into a store, which is made if it is not there, and return the cluster's state."""
    with open_transaction(folder) as transaction:
        transaction.clean_up(cluster)
        before = transaction.state(cluster).published or Snapshot()
        state = Upsert(transaction.layout, cluster, AS_OF).add(before, rows(cluster, hits)).state
        state = manifest.replace(state, reading=reading or ClusterInfo(cluster=cluster, as_of_ms=AS_OF))
        transaction.commit(cluster, state)
    return state
