"""Tasks that were deleted on the cluster: they stay in the store, marked with when they were found gone."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from mltasks import progress, schema
from mltasks.access import Access
from mltasks.cluster import Cluster
from mltasks.decode import Decoder
from mltasks.paging import Walk
from mltasks.store import manifest
from mltasks.store.manifest import File
from mltasks.store.shelf import GONE, Shelf
from mltasks.store.sync import Synced
from mltasks.store.writing import Writing


def reconcile(writing: Writing, cluster: Cluster, access: Access, found: Synced) -> Synced:
    """Compare the ids in the store with those on the cluster, and mark what is gone; return what was found by then.

    A mark is taken back where the task is there after all. Raises ClusterError, DataError and WriteError.
    """
    state = writing.followed(cluster.name).finished
    assert state is not None
    with progress.shown(cluster.url, access.progress) as report:
        walk = Walk(cluster, Decoder(), page_size=access.page_size, progress=report)
        ids = pa.chunked_array([page.table["task_id"].combine_chunks() for page in walk], pa.string())
    when = pa.scalar(walk.as_of_ms, pa.int64()).cast(schema.ARROW["time"])
    files, gone = [], 0
    for file in state.files:
        marked = _marked(writing.shelf, file, ids.combine_chunks(), when)
        gone += max(0, marked.gone - file.gone)
        files.append(marked)
    if tuple(files) != state.files:
        writing.finish(cluster.name, manifest.replace(state, files=tuple(files)))
    return replace(found, gone=gone, missing=0)


def _marked(shelf: Shelf, file: File, there: pa.Array, when: pa.Scalar) -> File:
    """Return the file with its marks as they should be: itself, where they are."""
    some = shelf.read(file, ["task_id", GONE])
    known = pc.or_(pc.is_in(some["task_id"], value_set=there), pc.is_null(some["task_id"]))
    marks = pc.if_else(known, pa.scalar(None, when.type), pc.coalesce(some[GONE], when))
    if marks.equals(some[GONE]):
        return file
    rows = shelf.read(file)
    return shelf.write(file.partition, rows.set_column(rows.schema.get_field_index(GONE), GONE, marks), file.generation)
