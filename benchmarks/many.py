"""Any number of made-up tasks in Parquet: the captured tasks at times of their own, as tests/live/made_up.py.

As on a cluster at work, only late tasks are open, and many tasks are of the same few models.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import mltasks
from mltasks.engines.data_files import GONE, DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.sources import parquet
from mltasks.tasks import arrow_schema, metadata, parquet_options, table
from mltasks.tasks.metadata import Context

BEGIN = 1_700_000_000_000  # of the first task, in epoch milliseconds
APART = 2000  # ms, at most, between two tasks
SPREAD = 0.5  # of the logarithm of how much longer than the captured one a task takes
BLOCK = 1_000_000  # tasks made at once
ID = 20  # characters of an id
MODELS = 5000  # that tasks are of
STILL_OPEN = 20_000  # of the newest tasks some are open: with these times about six hours of a cluster at work
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PAIRS = np.frombuffer(b"".join(bytes((one, two)) for one in LETTERS * 4 for two in LETTERS * 4), np.uint16)
TIME = arrow_schema.ARROW["time"]
OPEN = ("CREATED", "RUNNING")


def in_a_file(folder: Path, count: int) -> Path:
    """Write so many tasks into one file, as `mltasks fetch` would, and return its path."""
    path = folder / f"{count}.parquet"
    shapes = table.select(_shapes(), mltasks.scan("demo").context)
    with _open_writer(path, shapes) as writer:
        for rows in _ahead(_blocks(shapes, count)):
            writer.write_table(rows, row_group_size=parquet.ROW_GROUP)
        writer.add_key_value_metadata({metadata.KEY: metadata.replace(_known(count), rows=count).to_json()})
    return path


def by_month(folder: Path, count: int) -> Dataset:
    """Write so many tasks into a file a month, as a store does, and return them as a Dataset."""
    written: dict[str, pq.ParquetWriter] = {}
    found: dict[str, DataFile] = {}
    (reading,) = _known(count).readings
    cluster = str(reading.cluster)
    for rows in _blocks(_shapes(), count):
        stored = rows.append_column(GONE, pa.nulls(rows.num_rows, GONE.type)).drop_columns("cluster")
        months = pc.strftime(rows["create_time"].cast(pa.timestamp("ms")), "%Y-%m")
        for month in months.unique().to_pylist():
            path = folder / f"cluster={cluster}" / f"created={month}" / "0.pq"
            some = stored.filter(pc.equal(months, month))
            if month not in written:
                path.parent.mkdir(parents=True)
                written[month] = _open_writer(path, some)
            written[month].write_table(some, row_group_size=parquet.ROW_GROUP)
            found[month] = _part(path, cluster, some, found.get(month))
    for writer in written.values():
        writer.close()
    return Dataset(DataFiles(tuple(found.values())), _known(count))


def _open_writer(path: Path, rows: pa.Table) -> pq.ParquetWriter:
    """Open a file for such rows; what is a dictionary here is a text to whoever reads it.

    Statistics are those of numbers and times: no report that is measured looks for a text.
    """
    texts = [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in rows.schema
        if field.name not in parquet_options.DISTINCT and not pa.types.is_primitive(field.type)
    ]
    types = pa.schema([(field.name, _type(field)) for field in rows.schema])
    return pq.ParquetWriter(
        path,
        types,
        compression="zstd",
        use_dictionary=texts,
        write_statistics=[field.name for field in rows.schema if pa.types.is_primitive(field.type)],
        write_page_checksum=True,
        store_schema=False,
    )


def _type(field: pa.Field) -> pa.DataType:
    """Return the type of a column here: of texts that repeat, which is what takes the time, a number each."""
    is_text = pa.types.is_string(field.type) and field.name not in parquet_options.DISTINCT
    return pa.dictionary(pa.int32(), field.type) if is_text else field.type


def _ahead(blocks: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same blocks; the next one is made while one is written."""
    with ThreadPoolExecutor(1) as pool:
        block = pool.submit(next, blocks, None)
        while (rows := block.result()) is not None:
            block = pool.submit(next, blocks, None)
            yield rows


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


def _blocks(shapes: pa.Table, count: int) -> Iterator[pa.Table]:
    """Yield so many tasks like the captured ones, which may have derived columns, too; what repeats is a dictionary."""
    chance = np.random.default_rng(3)
    begin = BEGIN
    columns = {field.name: shapes[field.name].combine_chunks() for field in shapes.schema}
    spent = pc.subtract(*(shapes[name].cast(pa.int64()) for name in ("last_update_time", "create_time"))).to_numpy()
    models = _ids(chance, MODELS)
    has_model = pc.is_valid(shapes["model_id"]).to_numpy()
    is_open = pc.is_in(shapes["state"], value_set=pa.array(OPEN)).to_numpy(zero_copy_only=False)
    finished = np.flatnonzero(~is_open).astype(np.int32)
    for first in range(0, count, BLOCK):
        rows = min(BLOCK, count - first)
        created = begin + np.cumsum(chance.integers(0, APART, rows, endpoint=True))
        begin = int(created[-1])
        places = finished[chance.integers(0, len(finished), rows)]
        late = max(0, min(rows, first + rows - (count - STILL_OPEN)))
        places[rows - late :] = chance.integers(0, shapes.num_rows, late, dtype=np.int32)
        takes = np.maximum(1, (spent[places] * chance.lognormal(0, SPREAD, rows)).astype("int64"))
        model = pa.array(chance.integers(0, MODELS, rows, dtype=np.int32), mask=~has_model[places])
        new = {
            "task_id": _ids(chance, rows),
            "model_id": models.take(model),
            "create_time": pa.array(created).cast(TIME),
            "last_update_time": pa.array(created + takes).cast(TIME),
            "seq_no": pa.array(np.arange(first, first + rows)),
        }
        if "duration_s" in columns:
            is_measured = pc.is_valid(shapes["duration_s"]).to_numpy()
            new["duration_s"] = pa.array(takes / 1000, mask=~is_measured[places])
        yield pa.table({name: new.get(name, _take(column, places)) for name, column in columns.items()})


def _take(column: pa.Array, places: np.ndarray[Any, Any]) -> pa.Array:
    """Return the values at these places, texts that repeat as numbers of a dictionary."""
    if not pa.types.is_string(column.type):
        return column.take(pa.array(places))
    words = column.dictionary_encode()
    return pa.DictionaryArray.from_arrays(words.indices.take(pa.array(places)), words.dictionary)


def _shapes() -> pa.Table:
    """Return the captured tasks."""
    return mltasks.scan("demo", engine="duckdb").frame.to_arrow_table().cast(arrow_schema.STORED_SCHEMA)


def _known(count: int) -> Context:
    """Return what is known of the cluster: read some hours after its newest task."""
    (reading,) = mltasks.scan("demo").context.readings
    as_of = BEGIN + count * APART // 2 + 12 * 3_600_000  # the newest is not to the hour where it is on average
    return Context(source="made up", readings=(msgspec.structs.replace(reading, as_of_ms=as_of),))


def _ids(chance: np.random.Generator, count: int) -> pa.Array:
    """Return random ids of 20 characters, like the server's own; some begin with - or _."""
    offsets = np.arange(0, (count + 1) * ID, ID, dtype=np.int32)
    letters = PAIRS[np.frombuffer(chance.bytes(count * ID), np.uint16)]
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))
