"""`mltasks fetch`: all tasks to a Parquet file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.cases.case import Row, measure
from mltasks import fetch

COLUMNS = ["task_id", "state", "create_time", "last_update_time", "error", "worker_node"]


def rows(path: Path) -> Iterable[Row]:
    """Yield the rows in the file."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=COLUMNS):
            table = batch.select(COLUMNS)
            times = {name: table[name].cast("int64") for name in ("create_time", "last_update_time")}
            yield from zip(*(times.get(name, table[name]).to_pylist() for name in COLUMNS), strict=True)


if __name__ == "__main__":
    import_module("mltasks.opensearch.retry")  # imported when it is needed, which is not what is measured
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "tasks.parquet")
        measure(lambda url: fetch(url, place), lambda _: rows(place), "mltasks", "pyarrow")
