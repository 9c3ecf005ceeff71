"""Parquet files and the files of a store as Spark DataFrames, of which a report reads what it needs."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from mltasks.engines import data_files, spark_objects
from mltasks.engines.data_files import GONE, DataFiles
from mltasks.engines.spark_errors import translate_errors
from mltasks.engines.spark_frame import SQL, from_arrow_table, quote_name, quote_text, with_stored_columns
from mltasks.exceptions import DataError, UsageError, in_one_line
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.tasks import conform, schema

GLOB = re.compile(r"([{}\[\]*?\\])")
STORED = tuple(column.name for column in schema.STORED)


@translate_errors()
def scan(rows: pa.Table | Place | DataFiles, session: Any) -> Any:
    """Return rows in memory, a Parquet file, a folder of such, or the files of a store as a DataFrame."""
    if isinstance(rows, pa.Table):
        return with_stored_columns(from_arrow_table(session, rows))
    if isinstance(rows, DataFiles):
        return _read_store(session, rows)
    is_folder = not rows.is_file() if isinstance(rows, ObjectPath) else rows.is_dir()
    return _read_folder(session, rows) if is_folder else with_stored_columns(_read_file(session, rows))


def _read_file(session: Any, file: Place) -> Any:
    """Return the rows of a file; of one that we have written Spark need not look for the types."""
    columns = _read_schema(file)
    own = {*columns.names} - {*schema.COLUMNS}
    if conform.is_stored(columns) and all(columns.field(name) == GONE for name in own):
        return _read_parts(session, [file], [name for name in columns.names if name in {*STORED, *own}])
    return _reader(session, file).parquet(_escape(file))


def _read_folder(session: Any, folder: Place) -> Any:
    """Return all Parquet files in a folder; a folder called `team=red` gives a column `team`, as a text: `007` stays.

    Raises UsageError where some of these columns are in the files and some are not.
    """
    paths = _list_parts(folder)
    if not paths:
        raise DataError(f"{folder}: holds no Parquet file that Spark reads (names with _ or . before them are not)")
    keys = {tuple(unquote(part.partition("=")[0]) for part in name.parts[:-1] if "=" in part) for name in paths}
    names = {name for key in keys for name in key}
    inside = names & {*_read_schema(next(iter(paths.values()))).names} if names else set()
    if inside != names and len(keys) > 1:  # Spark would leave some out without a word
        odd = "/".join(f"{name}=..." for name in max(keys, key=len))
        raise UsageError(f"{folder}: some files are in folders called {odd} and some are not; give all the same")
    reader = _reader(session, folder).option("mergeSchema", "true").option("pathGlobFilter", "*.parquet")
    if inside == names:
        return reader.option("recursiveFileLookup", "true").parquet(_escape(folder))
    if inside:
        raise UsageError(f"{folder}: the column {min(inside)!r} is in the files and in the folders' names; rename one")
    fields = reader.parquet(_escape(folder)).schema.fields
    types = [
        f"{quote_name(field.name)} {'string' if field.name in names else field.dataType.simpleString()}"
        for field in fields
    ]
    return reader.schema(", ".join(types)).parquet(_escape(folder))


def _list_parts(folder: Place) -> dict[PurePath, Place]:
    """Return the Parquet files in a folder by their paths in it, but for those that Spark and Hive leave out."""
    if isinstance(folder, ObjectPath):
        paths: dict[PurePath, Place] = {PurePosixPath(info.relative): path for path, info in folder.objects().items()}
    else:
        paths = {path.relative_to(folder): path for path in folder.rglob("*.parquet")}
    return {name: path for name, path in paths.items() if name.suffix == ".parquet" and not _is_hidden(name)}


def _read_schema(file: Place) -> pa.Schema:
    """Return the columns of a file; raises DataError where it is no Parquet file."""
    try:
        if not isinstance(file, ObjectPath):
            return pq.read_schema(file)
        with file.open() as content:
            return pq.read_schema(content)
    except pa.ArrowException as error:
        raise DataError(
            f"{file}: not a readable Parquet file ({in_one_line(error)}); fetch it anew with mltasks fetch"
        ) from error


def _reader(session: Any, place: Place) -> Any:
    """Return what reads a place, told where the environment says that S3 is."""
    if isinstance(place, ObjectPath) and place.scheme == "s3":
        return session.read.options(**spark_objects.options(session, place))
    return session.read


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)


def _read_store(session: Any, rows: DataFiles) -> Any:
    """Return the tasks of a store's files, those that the manifest names; the cluster is taken from there, too."""
    groups: dict[tuple[str, tuple[str, ...]], list[Place]] = defaultdict(list)
    for part in rows.parts:
        groups[part.cluster, part.columns].append(part.path)
    if not groups:
        return from_arrow_table(session, data_files.SCHEMA.empty_table())
    names = [*data_files.FILE_SCHEMA.names, *rows.unknown_columns()]
    frames = [
        _read_parts(session, paths, columns).selectExpr(
            f"{quote_text(cluster)} AS cluster", *(_column_or_null(name, columns) for name in names)
        )
        for (cluster, columns), paths in groups.items()
    ]
    return functools.reduce(lambda first, second: first.union(second), frames)


def _read_parts(session: Any, paths: Sequence[Place], columns: Collection[str]) -> Any:
    """Return the rows of files that have the same columns; what we know the types of is not asked for in each file."""
    reader = _reader(session, paths[0])
    if {*columns} <= {*data_files.FILE_SCHEMA.names}:
        reader = reader.schema(", ".join(f"{quote_name(name)} {_sql_type(name)}" for name in columns))
    return reader.parquet(*map(_escape, paths))


def _sql_type(name: str) -> str:
    return SQL[schema.COLUMNS[name].kind] if name in schema.COLUMNS else SQL["time"]


def _column_or_null(name: str, columns: Collection[str]) -> str:
    if name in columns:
        return quote_name(name)
    if name not in data_files.FILE_SCHEMA.names:
        return f"NULL AS {quote_name(name)}"
    is_list = name in schema.COLUMNS and schema.COLUMNS[name].kind == "nodes"
    return f"CAST({'array()' if is_list else 'NULL'} AS {_sql_type(name)}) AS {quote_name(name)}"


def _escape(path: Place) -> str:
    """Return a path as Spark takes it, whatever characters are in it: it would look for a pattern."""
    if isinstance(path, ObjectPath):  # Hadoop calls what it reads itself s3a
        return GLOB.sub(r"\\\1", str(path).replace("s3://", "s3a://", 1))
    return "file://" + GLOB.sub(r"\\\1", str(path.absolute()))
