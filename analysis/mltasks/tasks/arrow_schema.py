"""The task table in Arrow: the type of each kind of column, and the schemas.

It stands apart from `schema`, since help, completion and errors of usage read the columns without Arrow.
"""

from __future__ import annotations

import pyarrow as pa

from mltasks.tasks.schema import COLUMNS, STORED, Kind

ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "json": pa.string(),  # free-form objects are kept as the text they came in
    "nodes": pa.list_(pa.string()),
    "time": pa.timestamp("ms", "UTC"),
    "flag": pa.bool_(),
    "number": pa.float64(),
    "integer": pa.int64(),
}
STORED_SCHEMA = pa.schema([pa.field(c.name, ARROW[c.kind]) for c in STORED])
SCHEMA = pa.schema([pa.field(c.name, ARROW[c.kind]) for c in COLUMNS.values()])
