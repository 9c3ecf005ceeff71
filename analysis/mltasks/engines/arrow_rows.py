"""The rows of any frame that narwhals knows, as Arrow's."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pyarrow as pa

FOREIGN = (nw.Object, nw.Int128, nw.UInt128)  # polars hands these to Arrow as addresses, or not at all


def frame_to_arrow(frame: nw.LazyFrame[Any]) -> pa.Table:
    """Return a frame's rows in memory; polars' columns of objects become texts, those of 128 bits decimal numbers."""
    types = frame.collect_schema()
    foreign = [name for name in types if types[name] in FOREIGN] if frame.implementation.is_polars() else []
    if not foreign:
        rows: pa.Table = frame.collect("pyarrow").to_native()
        return rows
    whole = frame.collect()
    rows = whole.drop(foreign).to_arrow()
    for name in foreign:
        rows = rows.append_column(name, _plain_array(whole[name].to_list(), types[name]))
    return rows


def _plain_array(values: list[Any], dtype: Any) -> pa.Array:
    if dtype == nw.Object or any(value is not None and abs(value) >= 10**38 for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values, pa.decimal128(38, 0))
