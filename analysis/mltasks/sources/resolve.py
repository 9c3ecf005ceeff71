"""From a SOURCE to what can be read: a cluster, a store, a file, the example data."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.object_storage.errors import translate_errors
from mltasks.object_storage.path import ObjectPath, Place, parse_url
from mltasks.opensearch.access import DEMO, Access, open_cluster
from mltasks.opensearch.client import Cluster
from mltasks.sources import formats
from mltasks.sources.source_kind import check_source, kind_of

HEAD = 64 * 1024  # bytes of a pipe looked at to tell its format


@dataclass(frozen=True)
class TaskFile:
    """A file with tasks: its path, its suffix in FORMATS (None: a folder of Parquet files), its name in messages."""

    path: Place
    suffix: str | None
    name: str

    @property
    def is_parquet(self) -> bool:
        """Whether it is one Parquet file."""
        return self.suffix == ".parquet"


SOURCES = (str, Path, Cluster, Dataset, pd.DataFrame, pa.Table)  # what can be one of several, beside a Store


def are_several(source: Any) -> bool:
    """Tell whether a source is a list of sources (and not one of hits)."""
    return isinstance(source, list | tuple) and all(isinstance(s, SOURCES) or _is_store(s) for s in source or [0])


def resolve(source: Any, access: Access) -> Any:
    """Return the Cluster that a source names, the Dataset of a store, or a TaskFile; "demo" and objects as they are.

    Raises UsageError where a name means nothing, or a file of no known kind.
    """
    if _is_store(source):
        return source.dataset()
    if not isinstance(source, str | Path):
        return source
    match kind_of(source, access.config):
        case "demo":
            return DEMO
        case "cluster":
            return open_cluster(source, access)
        case "store":
            from mltasks.store.store import Store  # here, as all that only some sources need

            return Store(source).dataset()
        case "object":
            return _resolve_object(parse_url(str(source)))
        case _:
            return task_file(source, access.config)


def _is_store(source: Any) -> bool:
    store = sys.modules.get("mltasks.store.store")  # nobody has a Store who has not imported it
    return store is not None and isinstance(source, store.Store)


def _resolve_object(place: ObjectPath) -> Any:
    """Return the Dataset of a published store, or the file or folder in object storage as a TaskFile."""
    with place.reasons():
        return _open_object(place)


def _open_object(place: ObjectPath) -> Any:
    from mltasks.object_storage.filesystem import check_endpoint
    from mltasks.store.stored_tasks import PublishedStore

    suffix = formats.suffix_of(place.name)
    if suffix is not None and place.is_file():
        return TaskFile(place if suffix == ".parquet" else _download(place, suffix), suffix, str(place))
    store = PublishedStore(place)
    if store.exists():
        return store.dataset()
    store.refuse_half()
    names = [info.relative for info in place.objects().values()]
    if any(formats.suffix_of(name) == ".parquet" for name in names):
        return TaskFile(place, None, str(place))
    check_endpoint(place)
    if names:
        raise UsageError(f"{place}: holds no Parquet file and no published store; name one, or its prefix")
    raise UsageError(f"{place}: there is nothing under this prefix; look at its name, or publish a store to it")


def _download(place: ObjectPath, suffix: str) -> Path:
    """Return a copy of an object with hits, which are read whole in any case."""
    with place.open() as content, translate_errors(place):
        return _save(content, suffix)


def task_file(source: str | Path, config_file: str | None = None) -> TaskFile:
    """Return the file that a source names; raises UsageError where there is none, or of no known kind."""
    path = Path(source)
    match check_source(source, config_file):
        case "stdin":
            return _from_stream(sys.stdin.buffer)
        case "pipe":
            return _from_pipe(path)
        case "folder":
            return TaskFile(path, None, str(path))
        case _:
            return TaskFile(path, formats.suffix_of(path), str(path))


@lru_cache(maxsize=1)  # what has gone through a pipe cannot be read again
def _from_stream(stream: BinaryIO) -> TaskFile:
    return _spool(stream, "standard input")


@cache
def _from_pipe(path: Path) -> TaskFile:
    with path.open("rb") as stream:
        return _spool(stream, str(path))


def _spool(stream: BinaryIO, name: str) -> TaskFile:
    """Return what comes through a pipe as a file; its first bytes tell the format."""
    start = stream.read(HEAD)
    suffix = formats.suffix_of_content(start)
    return TaskFile(_save(stream, suffix, start), suffix, name)


def _save(stream: Any, suffix: str, start: bytes = b"") -> Path:
    """Return a file with the bytes that were read from a stream, and the rest of it."""
    with NamedTemporaryFile(dir=_folder().name, suffix=suffix, delete=False) as file:
        file.write(start)
        shutil.copyfileobj(stream, file)
    return Path(file.name)


@cache
def _folder() -> TemporaryDirectory[str]:
    """Return a folder for what comes through pipes: nobody else's to read, gone with the process."""
    return TemporaryDirectory(prefix="mltasks-")
