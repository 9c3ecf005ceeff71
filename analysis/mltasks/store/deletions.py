"""Tasks that were deleted on the cluster: they stay in the store, marked with when they were found gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from mltasks import progress
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.existing_ids import find_existing_ids
from mltasks.opensearch.pagination import SeqNoPagination
from mltasks.store import manifest
from mltasks.store.layout import GONE, StoreLayout
from mltasks.store.manifest import Snapshot, StoredFile
from mltasks.store.sync import reread_all
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import Transaction
from mltasks.tasks import arrow_schema


@dataclass(frozen=True)
class ClusterIds:
    """The ids of all tasks on a cluster, in memory, and the numbers of their last writes; `as_of_ms` as in Walk."""

    ids: pa.Array
    numbers: pa.Array
    as_of_ms: int


def reconcile(transaction: Transaction, cluster: Cluster, access: Access, result: SyncResult, step: int) -> SyncResult:
    """Compare the ids in the store with those on the cluster, and mark what is gone; return what was found by then.

    A task is gone if two looks miss it, a refresh apart. A mark is taken back where the task is there after all; what
    the store lacks is read. Raises ClusterError, DataError and WriteError.
    """
    state, there = _state(transaction, cluster), _read_ids(cluster, access)
    stored = _ids(transaction.layout, state)
    if _lacks_some(state, stored, there):
        new, updated = reread_all(transaction, cluster, access, step)
        result = replace(result, new=result.new + new, updated=result.updated + updated)
        state, there = _state(transaction, cluster), _read_ids(cluster, access)
        stored = _ids(transaction.layout, state)
    is_there = pc.is_in(stored, value_set=there.ids).combine_chunks()  # at once: hashing the ids is what takes time
    returned = find_existing_ids(cluster, _newly_missing(transaction.layout, state, is_there))
    if returned:
        is_there = pc.or_(is_there, pc.is_in(stored, value_set=pa.array(returned, pa.string())).combine_chunks())
    when = pa.scalar(there.as_of_ms, pa.int64()).cast(arrow_schema.ARROW["time"])
    ends = accumulate(file.rows for file in state.files)
    marked = [
        _flag_deleted(transaction.layout, file, is_there.slice(end - file.rows, file.rows), when)
        for file, end in zip(state.files, ends, strict=True)
    ]
    files = tuple(file for file, _ in marked)
    if files != state.files:
        transaction.commit(cluster.name, manifest.replace(state, files=files, missing=0, recent=b""))
    return replace(result, tasks=state.rows, gone=sum(n for _, n in marked), missing=0)


def _state(transaction: Transaction, cluster: Cluster) -> Snapshot:
    state = transaction.state(cluster.name).published
    assert state is not None  # it was synced a moment ago
    return state


def _read_ids(cluster: Cluster, access: Access) -> ClusterIds:
    with progress.progress_bar(cluster.url, access.progress) as report:
        walk = SeqNoPagination(cluster, Decoder(), page_size=access.page_size, progress=report)
        pages = [arrow_schema.STORED_SCHEMA.empty_table(), *(page.table for page in walk)]
        rows = pa.concat_tables([page.select(["task_id", "seq_no"]) for page in pages]).combine_chunks()
    return ClusterIds(rows["task_id"].combine_chunks(), rows["seq_no"].combine_chunks(), walk.as_of_ms)


def _ids(layout: StoreLayout, state: Snapshot) -> pa.ChunkedArray:
    """Return the ids of a state's tasks, file by file."""
    return pa.chunked_array(
        [layout.read_columns(file, ["task_id"])["task_id"].combine_chunks() for file in state.files], pa.string()
    )


def _newly_missing(layout: StoreLayout, state: Snapshot, is_there: pa.Array) -> list[str]:
    """Return the ids that the cluster seems to have no longer, and that are not marked yet."""
    ids, start = list[str](), 0
    for file in state.files:
        rows = layout.read_columns(file, ["task_id", GONE])
        is_missing = pc.and_(pc.invert(is_there.slice(start, file.rows)), pc.is_null(rows[GONE]))
        ids += rows["task_id"].filter(pc.and_(is_missing, pc.is_valid(rows["task_id"]))).to_pylist()
        start += file.rows
    return ids


def _lacks_some(state: Snapshot, stored: pa.ChunkedArray, there: ClusterIds) -> bool:
    """Tell whether tasks that were written before the cursor are on the cluster and not in the store."""
    lacking = pc.invert(pc.is_in(there.ids, value_set=stored))
    return bool(pc.any(pc.and_(lacking, pc.less_equal(there.numbers, state.cursor))).as_py())


def _flag_deleted(layout: StoreLayout, file: StoredFile, is_there: pa.Array, when: pa.Scalar) -> tuple[StoredFile, int]:
    """Return the file with its marks as they should be - itself, where they are - and how many tasks it marks newly."""
    columns = layout.read_columns(file, ["task_id", GONE])
    there = pc.or_(is_there, pc.is_null(columns["task_id"]))
    marks = pc.if_else(there, pa.scalar(None, when.type), pc.coalesce(columns[GONE], when))
    if marks.equals(columns[GONE]):
        return file, 0
    rows = layout.read(file)
    rows = rows.set_column(rows.schema.get_field_index(GONE), GONE, marks)
    new = pc.sum(pc.and_(pc.is_null(columns[GONE]), pc.is_valid(marks))).as_py()
    return layout.write(file.partition, rows, file.generation), new
