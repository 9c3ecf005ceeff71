"""The formats that tasks are written to while a cluster is read: the task table as Parquet, or the hits as lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mltasks import atomic_write
from mltasks.opensearch import lenient_json, search_response
from mltasks.opensearch.decode import HitsPage
from mltasks.opensearch.deep_json import DeepValues
from mltasks.sources import background, formats, parquet
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


def open_sink(part: Path, suffix: str) -> Sink:
    """Return what writes the format of a suffix, one of `formats.WRITABLE`, into a new file."""
    return ParquetSink(part) if suffix == ".parquet" else NdjsonSink(part, suffix)


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
