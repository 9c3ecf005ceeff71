"""What a `_search` answer says of its own completeness: one check for the pages of a cluster and for saved answers."""

from __future__ import annotations

from collections.abc import Sequence

from mltasks.opensearch.decode import HitsPage


def why_incomplete(page: HitsPage) -> str:
    """Say what shows that an answer lacks hits, or holds what is not a task; an empty text if nothing does."""
    status, shards, clusters = page.status, page.status.shards, page.status.clusters
    if page.broken:
        return f"hit {page.broken[0] + 1}: {page.broken[1]}"
    if status.timed_out:
        return "the search timed out on the server"
    if status.terminated_early:
        return "the search was ended early (terminated_early)"
    if shards is not None and shards.failed:
        return f"{shards.failed} of {shards.total} shards failed"
    if shards is not None and shards.successful < shards.total:
        return f"only {shards.successful} of {shards.total} shards answered"
    if clusters is not None and clusters.successful < clusters.total:
        return f"only {clusters.successful} of {clusters.total} clusters answered in full (_clusters)"
    return ""


def why_too_few(pages: Sequence[HitsPage]) -> str:
    """Say what shows that the answers of one search hold fewer hits than it found; an empty text if nothing does."""
    hits = sum(page.hits for page in pages)
    totals = [page.status.total for page in pages]
    counts = [total for total in totals if total is not None]
    if not counts or len(counts) < len(totals):
        return "it does not say how many tasks there are (hits.total)"
    most = max(counts, key=lambda total: total.value)
    if most.relation != "eq":
        return f"it holds {hits} of more than {most.value} tasks"
    if all(page.hits >= total.value for page, total in zip(pages, counts, strict=True)):
        return ""
    ids = {task_id for page in pages for task_id in page.table["task_id"].to_pylist()}
    distinct = len(ids) + sum(page.other_indices.total() for page in pages)
    return f"it holds {distinct} of {most.value} tasks" if distinct < most.value else ""
