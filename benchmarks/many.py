"""Any number of made-up tasks in Parquet: the captured tasks at times of their own, as tests/live/made_up.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import mltasks
from mltasks.engines.data_files import GONE, DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.sources import parquet
from mltasks.tasks import schema, table
from mltasks.tasks.metadata import Context

BEGIN = 1_700_000_000_000  # of the first task, in epoch milliseconds
APART = 2000  # ms, at most, between two tasks
SPREAD = 0.5  # of the logarithm of how much longer than the captured one a task takes
BLOCK = 1_000_000  # tasks made at once
ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)
TIME = schema.ARROW["time"]


def in_a_file(folder: Path, count: int) -> Path:
    """Write so many tasks into one file, as `mltasks fetch` would, and return its path."""
    path = folder / f"{count}.parquet"
    with parquet.open_writer(path) as writer:
        for rows in _blocks(count):
            writer.write(table.select(rows, _known(count)))
        writer.close(_known(count))
    return path


def by_month(folder: Path, count: int) -> Dataset:
    """Write so many tasks into a file a month, as a store does, and return them as a Dataset."""
    written: dict[str, pq.ParquetWriter] = {}
    found: dict[str, DataFile] = {}
    (reading,) = _known(count).readings
    cluster = str(reading.cluster)
    for rows in _blocks(count):
        stored = rows.append_column(GONE, pa.nulls(rows.num_rows, GONE.type)).drop_columns("cluster")
        months = pc.strftime(rows["create_time"].cast(pa.timestamp("ms")), "%Y-%m")
        for month in months.unique().to_pylist():
            path = folder / f"cluster={cluster}" / f"created={month}" / "0.pq"
            if month not in written:
                path.parent.mkdir(parents=True)
                written[month] = pq.ParquetWriter(path, stored.schema, compression="zstd")
            some = stored.filter(pc.equal(months, month))
            written[month].write_table(some, row_group_size=parquet.ROW_GROUP)
            found[month] = _part(path, cluster, some, found.get(month))
    for writer in written.values():
        writer.close()
    return Dataset(DataFiles(tuple(found.values())), _known(count))


def _part(path: Path, cluster: str, rows: pa.Table, before: DataFile | None) -> DataFile:
    created, updated = (rows[name].cast(pa.int64()) for name in ("create_time", "last_update_time"))
    still_open = pc.sum(pc.equal(rows["state"], "RUNNING")).as_py()
    return DataFile(
        path,
        cluster,
        rows.num_rows + (before.rows if before else 0),
        before.first_ms if before else pc.min(created).as_py(),
        pc.max(created).as_py(),
        max(pc.max(updated).as_py(), before.latest_ms or 0 if before else 0),
        still_open + (before.open if before else 0),
    )


def _blocks(count: int) -> Iterator[pa.Table]:
    chance = np.random.default_rng(3)
    shapes = _shapes()
    begin = BEGIN
    for first in range(0, count, BLOCK):
        rows = min(BLOCK, count - first)
        created = begin + np.cumsum(chance.integers(0, APART, rows, endpoint=True))
        begin = int(created[-1])
        found = shapes.take(pa.array(chance.integers(0, shapes.num_rows, rows)))
        spent = pc.subtract(*(found[name].cast(pa.int64()) for name in ("last_update_time", "create_time"))).to_numpy()
        updated = created + np.maximum(1, (spent * chance.lognormal(0, SPREAD, rows)).astype("int64"))
        model = pc.if_else(pc.is_valid(found["model_id"]), _ids(chance, rows), pa.scalar(None, pa.string()))
        new = {
            "task_id": _ids(chance, rows),
            "model_id": model,
            "create_time": pa.array(created).cast(TIME),
            "last_update_time": pa.array(updated).cast(TIME),
            "seq_no": pa.array(np.arange(first, first + rows)),
        }
        yield pa.table([new.get(name, found[name]) for name in schema.STORED_SCHEMA.names], schema.STORED_SCHEMA)


def _shapes() -> pa.Table:
    """Return the captured tasks, less those that a server would seem to be at work on: nothing would end them."""
    rows = mltasks.scan("demo").frame.to_arrow_table().cast(schema.STORED_SCHEMA)
    at_work = pc.is_in(rows["state"], value_set=pa.array(["CREATED", "RUNNING"]))
    return rows.filter(pc.or_(pc.equal(rows["task_type"], "BATCH_PREDICTION"), pc.invert(at_work)))


def _known(count: int) -> Context:
    """Return what is known of the cluster: read an hour after its newest task, as it must be about then."""
    (reading,) = mltasks.scan("demo").context.readings
    as_of = BEGIN + count * APART // 2 + 3_600_000
    return Context(source="made up", readings=(msgspec.structs.replace(reading, as_of_ms=as_of),))


def _ids(chance: np.random.Generator, rows: int) -> pa.Array:
    """Return random ids of 20 characters, like the server's own; some begin with - or _."""
    letters = ALPHABET[chance.integers(0, 64, rows * 20, dtype=np.uint8)]
    offsets = np.arange(0, (rows + 1) * 20, 20, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(letters))
