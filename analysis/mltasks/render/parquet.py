"""A report as a Parquet file, with its types."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mltasks.render.view import View
from mltasks.reports import report_info


def to_parquet(view: View, path: Path) -> None:
    """Write the table with its types; what it says of itself is in the file's metadata."""
    table = pa.Table.from_pandas(view.frame, preserve_index=False)
    described = msgspec.json.encode(view.info).decode()
    pq.write_table(table.replace_schema_metadata({report_info.KEY: described}), path, compression="zstd")
