"""Parquet: the task table on disk, its Context in the file's metadata, no pandas metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa

from mltasks.exceptions import DataError, UsageError, in_one_line
from mltasks.object_storage import output
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.tasks import conform, deduplicate, table
from mltasks.tasks import metadata as context
from mltasks.tasks.arrow_schema import SCHEMA
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context
from mltasks.tasks.parquet_options import parquet_options

if TYPE_CHECKING:
    import pyarrow.parquet as pq

METADATA = context.KEY.encode()
ROW_GROUP = 100_000
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"  # how Spark calls the folder of the rows without a value


def write_parquet(tasks: pd.DataFrame, path: str | Path, *, force: bool = False) -> None:
    """Write a table of tasks to a Parquet file: zstd, typed, each task once, the Context in its metadata.

    Parameters
    ----------
    tasks : DataFrame
        What `load` returns, or a frame made of it.
    path : str or Path
        The file; its folder has to be there.
    force : bool
        Replace a file that is there.

    Raises
    ------
    UsageError
        Where the file is there and `force` is not set.
    DataError
        Where `tasks` is a table of something else.
    WriteError
        Where the file cannot be written.

    Examples
    --------
    >>> mltasks.write_parquet(mltasks.load("demo"), "tasks.parquet")
    >>> len(mltasks.load("tasks.parquet"))
    552
    """
    output.check_writable(path, force)
    tally = UnreadableCounts()
    stored, ctx = conform.from_pandas(tasks, tally)
    stored = deduplicate.deduplicate(stored)
    ctx = table.assume_as_of(stored, ctx or Context(source="a DataFrame"))
    if tally.counts:
        ctx = context.replace(ctx, unreadable=dict(tally.counts), samples=tally.samples)
    complete = table.select(stored, ctx)
    with open_writer(path, complete.schema, force=force) as writer:
        writer.write(complete)
        writer.close(ctx)


class Writer:
    """Writes tables one after the other; `close` adds the Context with the number of rows."""

    def __init__(self, path: Path, columns: pa.Schema = SCHEMA) -> None:
        import pyarrow.parquet as pq  # here, since reports on other sources need none of it

        self._writer = pq.ParquetWriter(path, columns, **parquet_options(columns))
        self.rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append rows, as one or more row groups."""
        self._writer.write_table(rows, row_group_size=ROW_GROUP)
        self.rows += rows.num_rows

    def close(self, ctx: Context) -> None:
        """Finish the file; `rows` in its Context says that each task is there once."""
        self._writer.add_key_value_metadata({context.KEY: context.replace(ctx, rows=self.rows).to_json()})
        self._writer.close()

    def discard(self) -> None:
        """Stop writing; the file is of no use then."""
        self._writer.close()


@contextmanager
def open_writer(path: str | Place, columns: pa.Schema = SCHEMA, *, force: bool = False) -> Iterator[Writer]:
    """Hand out a Writer for a file that appears complete, at the end, or not at all."""
    with output.atomic_path(path, force) as part:
        writer = Writer(part, columns)
        try:
            yield writer
        finally:
            writer.discard()


def read_footer(path: Place, name: str | None = None) -> tuple[pa.Schema, int, Context | None]:
    """Return columns, number of rows and Context of a Parquet file; raises DataError, which names `name`."""
    place = name or str(path)
    try:
        with _open(path) as file:
            columns, rows, metadata = file.schema_arrow, file.metadata.num_rows, file.metadata.metadata or {}
    except (pa.ArrowException, OSError) as error:
        if isinstance(path, ObjectPath):
            from mltasks.object_storage import filesystem

            filesystem.check_endpoint(path)
        raise unreadable(place, error) from error
    ctx = context.from_json(metadata[METADATA]) if METADATA in metadata else _pandas_attributes(metadata)
    conform.check(columns.names, place)
    return columns.remove_metadata(), rows, ctx


def read(path: Place, name: str | None = None) -> pa.Table:
    """Return all rows of a Parquet file as they are; raises DataError (naming `name`) where it cannot be read."""
    try:
        with _open(path) as file:  # read_table would add columns for folders that are called a=b
            return file.read().replace_schema_metadata()
    except (pa.ArrowException, OSError) as error:
        raise unreadable(name or path, error) from error


def _open(path: Place) -> pq.ParquetFile:
    """Open a Parquet file; of an object, what is needed is asked for in few and large pieces."""
    import pyarrow.parquet as pq

    if isinstance(path, ObjectPath):
        return pq.ParquetFile(path.open(), page_checksum_verification=True, pre_buffer=True)
    return pq.ParquetFile(path, page_checksum_verification=True)


def read_folder(folder: Place) -> tuple[pa.Table, Context | None]:
    """Return the rows of all Parquet files in a folder, as Spark and pandas write them, and the Context of the first.

    Files and folders whose names begin with `_` or `.` are left out. A folder called `team=red` gives its files a
    column `team`, as a text, unless they have one.
    """
    paths = {path: names for path, names in _list(folder).items() if _is_part(names)}
    if not paths:
        raise DataError(f"{folder}: holds no Parquet file that is read (names with _ or . before them are not)")
    contexts, parts = [], []
    for path, names in paths.items():
        _, _, ctx = read_footer(path)
        contexts.append(ctx)
        parts.append(_with_partitions(read(path), names.parts[:-1]))
    first = next((ctx for ctx in contexts if ctx is not None), None)
    try:
        rows = pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise unreadable(folder, error) from error
    return rows, None if first is None else context.replace(first, rows=None)


def read_context(path: Place) -> Context | None:
    """Return the Context of a Parquet file, or of the first in a folder that has one."""
    is_folder = path.is_dir() if isinstance(path, Path) else not path.is_file()
    paths = [part for part, names in _list(path).items() if _is_part(names)] if is_folder else [path]
    return next((ctx for part in paths if (ctx := read_footer(part)[2]) is not None), None)


def _list(folder: Place) -> dict[Place, PurePath]:
    """Return what is below a folder, in the order of the names, and the path of each from there."""
    if isinstance(folder, ObjectPath):
        objects = sorted(folder.objects().items(), key=lambda item: item[1].relative)
        return {path: PurePosixPath(info.relative) for path, info in objects}
    return {path: path.relative_to(folder) for path in sorted(folder.rglob("*"))}


def _is_part(path: PurePath) -> bool:
    return path.suffix.lower() == ".parquet" and not any(part.startswith(("_", ".")) for part in path.parts)


def _with_partitions(rows: pa.Table, folders: tuple[str, ...]) -> pa.Table:
    for folder in folders:
        name, equals, value = folder.partition("=")
        name, value = unquote(name), unquote(value)
        if equals and name not in rows.column_names:
            cell = pa.scalar(None if value == HIVE_NULL else value, pa.string())
            rows = rows.append_column(name, pa.repeat(cell, rows.num_rows))
    return rows


def unreadable(path: str | Place, error: Exception) -> DataError | UsageError:
    """Return the error for a file that Arrow cannot read."""
    if isinstance(error, FileNotFoundError | PermissionError):
        return UsageError(f"{path}: {error.strerror or error}")
    return DataError(f"{path}: not a readable Parquet file ({in_one_line(error)}); fetch it anew with mltasks fetch")


def _pandas_attributes(metadata: dict[bytes, bytes]) -> Context | None:
    """Return the Context in the attrs that pandas' own to_parquet has written."""
    try:
        attributes: Any = json.loads(metadata[b"PANDAS_ATTRS"])
    except (KeyError, ValueError):
        return None
    return context.read_attrs(attributes) if isinstance(attributes, dict) else None
