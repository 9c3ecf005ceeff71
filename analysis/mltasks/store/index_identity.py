"""Whether the index of tasks is the one that was read before.

`_seq_no` counts the writes to one index. Where an index was deleted, restored from a snapshot, or another cluster
answers under the same URL, the numbers begin again or go on from elsewhere, and a cursor means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.page_reader import PageReader, PageRequest
from mltasks.store.manifest import Fingerprint


def fingerprint(rows: pa.Table) -> tuple[Fingerprint, ...]:
    """Return the marks of rows, in their order; a hit without an id is none."""
    columns = (rows[name].to_pylist() for name in ("task_id", "seq_no", "primary_term"))
    return tuple(Fingerprint(*values) for values in zip(*columns, strict=True) if None not in values)


def same_index(marks: Sequence[Fingerprint], there: Sequence[Fingerprint]) -> bool:
    """Tell whether the tasks that are there now, with these ids or numbers, can be of the index of `marks`.

    A task keeps its number until it is written again, which gives it a greater one, and no number is given twice.
    Some task must be found again: where all are gone, nobody can tell, and the index counts as another one.
    """
    by_id = {mark.task_id: mark for mark in there}
    by_number = {mark.seq_no: mark for mark in there}
    is_same = False
    for mark in marks:
        now = by_id.get(mark.task_id)
        holder = by_number.get(mark.seq_no, mark)
        if holder.task_id != mark.task_id:
            return False
        if now is not None:
            rewritten = now.seq_no > mark.seq_no and now.primary_term >= mark.primary_term
            if now != mark and not rewritten:
                return False
            is_same = True
    return is_same


def fetch_fingerprint(cluster: Cluster, marks: Sequence[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Ask the cluster for the tasks with the ids and those with the numbers of marks; raises ClusterError."""
    either: list[dict[str, Any]] = [
        {"ids": {"values": [mark.task_id for mark in marks]}},
        {"terms": {"_seq_no": [mark.seq_no for mark in marks]}},
    ]
    query = {"bool": {"should": either, "minimum_should_match": 1}}
    page, _ = PageReader(cluster, Decoder(), query).page(PageRequest(2 * len(marks), newest=True))
    return fingerprint(page.table)
