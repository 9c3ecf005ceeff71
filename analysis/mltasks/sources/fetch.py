"""A cluster's tasks to a file, streamed: memory does not grow with their number.

A task updated during the walk is written twice. Only what was written near the end of the walk's range or later can
be such a second version, so that a last pass over the file drops the older ones; then the file gets its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, Unpack

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mltasks import atomic_write, progress
from mltasks.exceptions import UsageError
from mltasks.object_storage import output
from mltasks.object_storage.path import Place
from mltasks.opensearch import lenient_json, read, search_response
from mltasks.opensearch.access import Access, Query, open_cluster, with_query
from mltasks.opensearch.decode import HitsPage
from mltasks.opensearch.deep_json import DeepValues
from mltasks.opensearch.pagination import IN_FLIGHT, SeqNoPagination
from mltasks.sources import background, formats, load, parquet
from mltasks.tasks import data_warning, metadata, redact, table
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

Select = Callable[[pa.Table], pa.Table]  # rows as they were read -> those that pass the filters, with derived columns


class Sink(Protocol):
    """Where the rows of a walk go."""

    def fill(self, pages: Iterator[HitsPage], select: Select) -> None:
        """Write what is selected of each page."""

    def finish(self, ctx: Context, newest: dict[str, int]) -> int:
        """Drop older versions of the tasks in `newest` (id -> latest seq_no), close, and return the number of tasks."""

    def close(self) -> None:
        """Let go of the file, finished or not."""


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
    suffix = formats.suffix_of(place.name)
    if suffix not in formats.WRITABLE:
        raise UsageError(f"{place}: of no known kind; tasks are written to {' or '.join(formats.WRITABLE)}")
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
        sink: Sink = ParquetSink(part) if suffix == ".parquet" else NdjsonSink(part, suffix)
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


class ParquetSink:
    """The task table, as Parquet."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self._writer = parquet.Writer(part)

    def fill(self, pages: Iterator[HitsPage], select: Select) -> None:
        """Write the rows, a batch as a row group."""
        tables = (page.table for page in pages)
        for _ in background.map_in_background(tables, lambda rows: self._writer.write(select(rows))):
            pass

    def finish(self, ctx: Context, newest: dict[str, int]) -> int:
        """Drop older versions, close, and return the number of tasks."""
        self._writer.close(ctx)
        with pq.ParquetFile(self._part) as file:
            groups = range(file.num_row_groups)
            latest = pa.array(newest.keys(), pa.string()), pa.array(newest.values(), pa.int64())
            fresh = [_is_latest(file.read_row_group(n, ["task_id", "seq_no"]), *latest) for n in groups]
            if all(pc.all(rows, min_count=0).as_py() for rows in fresh):
                return self._writer.rows
            with parquet.open_writer(self._part, force=True) as writer:
                for n in groups:
                    writer.write(file.read_row_group(n).replace_schema_metadata().filter(fresh[n]))
                writer.close(ctx)
        return writer.rows

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._writer.discard()


def _is_latest(rows: pa.Table, ids: pa.Array, numbers: pa.Array) -> pa.ChunkedArray:
    """Tell which rows are the latest version of their task: `numbers` are the latest `_seq_no` of `ids`."""
    place = pc.index_in(rows["task_id"], value_set=ids)  # null where a task came once only, or has no id
    return pc.fill_null(pc.greater_equal(rows["seq_no"], numbers.take(place)), True)


class HitKey(msgspec.Struct):
    """What tells the versions of a task apart."""

    _id: Any = None
    _seq_no: int = -1


class NdjsonSink:
    """The hits as the cluster gave them, one per line, compressed as the suffix says."""

    def __init__(self, part: Path, suffix: str) -> None:
        opener = formats.FORMATS[suffix].open
        assert opener is not None
        self._part = part
        self._open = opener
        self._file = opener(part, "wb")

    def fill(self, pages: Iterator[HitsPage], select: Select) -> None:
        """Write the hits whose rows are selected."""
        for page in pages:
            selected = set(select(page.table)["task_id"].to_pylist())
            for raw in search_response.raw_hits(page.body):
                if _read_key(raw)._id in selected:
                    self._file.write(b" ".join(raw.splitlines()) + b"\n")

    def finish(self, ctx: Context, newest: dict[str, int]) -> int:
        """Drop older versions, close, and return the number of tasks."""
        self._file.close()
        rows = 0
        with (
            atomic_write.atomic_path(self._part, force=True) as clean,
            self._open(self._part, "rb") as lines,
            self._open(clean, "wb") as out,
        ):
            for line in lines:
                key = _read_key(line)
                if key._seq_no >= newest.get(key._id, key._seq_no):
                    out.write(line)
                    rows += 1
        return rows

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._file.close()


def _read_key(raw: bytes) -> HitKey:
    try:
        return msgspec.json.decode(raw, type=HitKey)
    except (*lenient_json.REFUSED, RecursionError):
        hit = lenient_json.loads(DeepValues().cut(raw))
        return HitKey(hit.get("_id"), hit.get("_seq_no", -1))
