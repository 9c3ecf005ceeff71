"""How tasks are encoded in Parquet files: compressed, each page with a check sum, repeated texts as a dictionary."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

DISTINCT = ("task_id", "model_id")  # each text another one: a dictionary of them is in vain


def parquet_options(columns: pa.Schema) -> dict[str, Any]:
    """Return what a Parquet writer of pyarrow is told about some columns."""
    return {"compression": "zstd", "write_page_checksum": True, "use_dictionary": _dictionary_columns(columns)}


def _dictionary_columns(columns: pa.Schema) -> list[str]:
    """Return the columns whose texts repeat, as Parquet calls them: those that a dictionary makes smaller."""
    lists = [f"{column.name}.list.element" for column in columns if pa.types.is_list(column.type)]
    return [c.name for c in columns if pa.types.is_string(c.type) and c.name not in DISTINCT] + lists
