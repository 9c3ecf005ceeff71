"""The data files of a store, each with what it can hold, so that a report reads only those that it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from mltasks.engines.reader import Reader
from mltasks.object_storage.path import Place
from mltasks.tasks import arrow_schema
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters

LOCAL = Reader()
GONE = pa.field("gone_time", arrow_schema.ARROW["time"])  # when a task was found to be deleted on its cluster
SCHEMA = arrow_schema.STORED_SCHEMA.append(GONE)  # of the tasks; in a file, all but `cluster`
FILE_SCHEMA = pa.schema([field for field in SCHEMA if field.name != "cluster"])


@dataclass(frozen=True)
class DataFile:
    """A Parquet file with tasks of one cluster.

    `first_ms`, `last_ms`: the least and the greatest create_time; `latest_ms`: the greatest last_update_time; None
    where no task has one. `open`: the tasks in a state that is open or unknown. `columns`: those in the file; one
    that an older version has written lacks some, one of a newer version has more.
    """

    path: Place
    cluster: str
    rows: int
    first_ms: int | None
    last_ms: int | None
    latest_ms: int | None
    open: int
    columns: tuple[str, ...] = tuple(FILE_SCHEMA.names)


@dataclass(frozen=True)
class DataFiles:
    """Parquet files that no task is twice in, and what reads them."""

    parts: tuple[DataFile, ...]
    reader: Reader = LOCAL

    def prune(self, filters: Filters, *, window: Window) -> DataFiles:
        """Return the files that can hold a task which the filters select; `window` as in Filters.expression."""
        return replace(self, parts=tuple(part for part in self.parts if _may_match(part, filters, window)))

    def unknown_columns(self) -> list[str]:
        """Return the columns that a newer version has written, in the order of the files."""
        names = dict.fromkeys(name for part in self.parts for name in part.columns)
        return [name for name in names if name not in SCHEMA.names]


def with_schema(rows: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Return the columns of a schema, then the others of the rows; what is missing is null, and no node.

    Raises pa.ArrowException where a column is of another type.
    """
    columns = {field.name: _column(rows, field) for field in wanted}
    return pa.table(columns | {name: rows[name] for name in rows.column_names if name not in columns})


def _column(rows: pa.Table, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    if field.name in rows.column_names:
        return rows[field.name].cast(field.type)
    if pa.types.is_list(field.type):
        return pa.array([[]], field.type).take(pa.array([0] * rows.num_rows, pa.int8()))
    return pa.nulls(rows.num_rows, field.type)


def _may_match(part: DataFile, filters: Filters, window: Window) -> bool:
    # engines disagree on the lower case of some letters: only of ASCII is it certain that a name is another one
    if filters.cluster and part.cluster.isascii() and part.cluster.lower() not in filters.cluster:
        return False
    since, until = filters.since_ms, filters.until_ms
    if since is None and until is None:
        return True
    if part.first_ms is None or part.last_ms is None:
        return False  # what has no time is in no window
    if until is not None and part.first_ms >= until:
        return False
    return since is None or part.last_ms >= since or (window == "in_flight" and _may_overlap(part, since))


def _may_overlap(part: DataFile, since: int) -> bool:
    """Tell whether a task may have ended after `since`; an open one ends when the cluster was read."""
    return part.open > 0 or (part.latest_ms is not None and part.latest_ms > since)
