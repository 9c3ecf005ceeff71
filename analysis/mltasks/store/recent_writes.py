"""The newest writes that are in the files, so that the overlap of two readings need not be searched for.

A ring of `IN_FLIGHT` slots, one a `_seq_no`, with a check sum of the write in it: task, number and primary term.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pyarrow as pa

from mltasks.opensearch.pagination import IN_FLIGHT

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def remember(recent: bytes, rows: pa.Table) -> bytes:
    """Return the ring with the writes of some rows in it; those read before it was begun are not."""
    ring = _ring(recent)
    numbers = rows["seq_no"].to_numpy()
    order = np.argsort(numbers, kind="stable")[-IN_FLIGHT:]
    ring[numbers[order] % IN_FLIGHT] = _check_sums(rows.take(pa.array(order)))
    return bytes(ring)


def is_known(recent: bytes, rows: pa.Table) -> Mask:
    """Tell which rows are writes in the ring."""
    if not recent:
        return np.zeros(rows.num_rows, bool)
    is_recent: Mask = _ring(recent)[rows["seq_no"].to_numpy() % IN_FLIGHT] == _check_sums(rows)
    return is_recent


def _ring(recent: bytes) -> Any:
    return np.frombuffer(recent, "<u4").copy() if len(recent) == 4 * IN_FLIGHT else np.zeros(IN_FLIGHT, "<u4")


def _check_sums(rows: pa.Table) -> Any:
    columns = (rows[name].to_pylist() for name in ("task_id", "seq_no", "primary_term"))
    sums = [zlib.crc32(f"{number} {term} {task}".encode()) for task, number, term in zip(*columns, strict=True)]
    return np.array(sums, "<u4")
