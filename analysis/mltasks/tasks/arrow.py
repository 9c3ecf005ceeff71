"""Arrow arrays: a column as one, and what becomes of each different text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa


def combine_chunks(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array: DuckDB and tables hand out chunked ones."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def map_distinct(texts: pa.Array, to: pa.DataType, convert: Callable[[Any], Any]) -> pa.Array:
    """Return what becomes of each text, null among them; of the same ones only once."""
    encoded = texts.dictionary_encode("encode")
    return pa.array([convert(text) for text in encoded.dictionary.to_pylist()], to).take(encoded.indices)
