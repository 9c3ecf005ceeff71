"""Batches of rows worked on in a thread, while the next pages are read.

Arrow's kernels, Parquet's encoders and zstd let go of the interpreter's lock; and what a call costs apart from its rows
is paid once for three pages. One batch is in work and one being gathered, so that memory does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

BATCH = 15_000  # rows; more of them cost memory and gain nothing that can be measured
T = TypeVar("T")


def map_in_background(tables: Iterable[pa.Table], work: Callable[[pa.Table], T]) -> Iterator[T]:
    """Yield what `work` makes of each batch of the tables' rows, in their order; raises what `work` raises."""
    with ThreadPoolExecutor(1, "mltasks") as thread:
        running: Future[T] | None = None
        for rows in batches(tables):
            if running is not None:
                yield running.result()
            running = thread.submit(work, rows)
        if running is not None:
            yield running.result()


def batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows of tables in batches; no batch is empty."""
    gathered: list[pa.Table] = []
    rows = 0
    for table in tables:
        gathered.append(table)
        rows += table.num_rows
        if rows >= BATCH:
            yield pa.concat_tables(gathered).combine_chunks()
            gathered, rows = [], 0
    if rows:
        yield pa.concat_tables(gathered).combine_chunks()
