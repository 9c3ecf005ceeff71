"""A cluster's tasks to a file, streamed: memory does not grow with their number.

A task updated during the walk is written twice. Only what was written near the end of the walk's range or later can
be such a second version, so that a last pass over the file drops the older ones; then the file gets its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa
import pyarrow.compute as pc

from mltasks import progress
from mltasks.exceptions import UsageError
from mltasks.object_storage import output
from mltasks.object_storage.path import Place
from mltasks.opensearch import read
from mltasks.opensearch.access import Access, Query, open_cluster, with_query
from mltasks.opensearch.decode import HitsPage
from mltasks.opensearch.pagination import IN_FLIGHT, SeqNoPagination
from mltasks.sources import formats, load, parquet
from mltasks.sources.task_writers import open_sink
from mltasks.tasks import data_warning, metadata, redact, table
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def fetch(
    source: Any,
    path: str | Path,
    access: Access | None = None,
    *,
    force: bool = False,
    query: Query = None,
    **options: Unpack[FilterOptions],
) -> Context:
    """Write all tasks of a source to a file, each once; it appears when it is complete, or not at all.

    The tasks of a cluster are streamed: memory does not grow with their number. Any other source is read whole.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    path : str or Path
        Ends in .parquet (the task table), or in .ndjson.gz or .ndjson.zst (the hits as a cluster gave them); it may be
        the URL of an object, such as ``"s3://bucket/tasks.parquet"``.
    force : bool
        Replace a file that is there.

    Returns
    -------
    Context
        What is known of the reading; its `rows` is the number of tasks.

    Raises
    ------
    UsageError
        For a file that is there and another suffix, and as `load` does.
    ClusterError, DataError
        As `load` does.
    WriteError
        Where the file cannot be written.

    Examples
    --------
    >>> mltasks.fetch("demo", "failed.parquet", outcome="failed").rows
    156
    """
    access = with_query(access, query)
    place = output.check_writable(path, force)
    suffix = formats.check_writable(place)
    if access.redact and suffix != ".parquet":
        raise UsageError(f"{place}: raw hits are as the cluster gave them; redact tasks in a .parquet file")
    cluster = open_cluster(source, access)
    if cluster is None:
        return _copy(source, place, access, force, options)
    tally, newest, unknown = UnreadableCounts(), dict[str, int](), Counter[str]()

    def pages(walk: SeqNoPagination) -> Iterator[HitsPage]:
        for page in walk:
            tally.add(page.tally)
            unknown.update(table.unknown_states(page.table))
            _note_ids(newest, page.table, (walk.last_seq_no or 0) - IN_FLIGHT)
            yield page

    def select(rows: pa.Table) -> pa.Table:
        rows = table.select(rows, before, begun.filters)
        return redact.table(rows, before) if access.redact else rows

    with output.atomic_path(place, force) as part, progress.progress_bar(cluster.url, access.progress) as report:
        begun = read.start(cluster, access, options, report, window="created")
        before = begun.context()
        sink = open_sink(part, suffix)
        with closing(sink):
            sink.fill(pages(begun.walk), select)
            redact.samples(tally, access.redact)
            ctx = begun.context(tally)
            if access.redact:
                ctx = redact.context(metadata.replace(ctx, source=cluster.name))
            ctx = metadata.replace(ctx, rows=sink.finish(ctx, newest))
    data_warning.warn_once(ctx, tally, unknown)
    return ctx


def _copy(source: Any, place: Place, access: Access, force: bool, options: FilterOptions) -> Context:
    if formats.suffix_of(place.name) != ".parquet":
        raise UsageError(f"{place}: raw hits come from a cluster; write what is in {source} to a .parquet file")
    tasks = load.load(source, access, **options)
    parquet.write_parquet(tasks, str(place), force=force)
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    return metadata.replace(ctx, rows=len(tasks))


def _note_ids(newest: dict[str, int], rows: pa.Table, after: int) -> None:
    """Note the ids of which an older version may be in the file already, with the latest `_seq_no` of each."""
    rows = rows.select(["task_id", "seq_no"])
    late = rows.filter(pc.greater(rows["seq_no"], after))
    for task_id, seq_no in zip(late["task_id"].to_pylist(), late["seq_no"].to_pylist(), strict=True):
        if task_id is not None:
            newest[task_id] = max(seq_no, newest.get(task_id, seq_no))
