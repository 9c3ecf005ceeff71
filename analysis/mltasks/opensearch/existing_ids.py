"""Whether tasks are on a cluster, asked by their ids: the second look before one counts as deleted."""

from __future__ import annotations

from collections.abc import Sequence

from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.page_reader import PageReader, PageRequest
from mltasks.opensearch.retry_policy import REFRESH_S

BATCH = 1000  # ids in one request


def find_existing_ids(cluster: Cluster, ids: Sequence[str]) -> list[str]:
    """Return those of the ids that are on the cluster, a refresh later than now; raises ClusterError and DataError.

    A walk may miss a task that is updated meanwhile where copies of the index differ; each of these requests is
    answered by one copy, and a task is found by its id wherever its last write stands.
    """
    if ids:
        cluster.wait(REFRESH_S)
    batches = [list(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH)]
    existing: list[str] = []
    while batches:
        batch = batches.pop()
        page, request = PageReader(cluster, Decoder(), {"ids": {"values": batch}}).page(
            PageRequest(len(batch), newest=True)
        )
        if request.size < len(batch):  # the server called the page too large
            batches += [batch[: request.size], batch[request.size :]]
        else:
            existing += [task_id for task_id in page.table["task_id"].to_pylist() if task_id is not None]
    return existing
