"""Whether a store is what its manifest says: every file whole, every row in its place, every task once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.errors import DataError
from mltasks.store import shelf
from mltasks.store.manifest import File, Manifest
from mltasks.store.shelf import Shelf


def problems(folders: Shelf, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the files that readers see, a line each; nothing where all is well."""
    current: list[File] = []
    for cluster, state in manifest.finished().items():
        ids = []
        for file in state.files:
            try:
                rows = _whole(folders, file)
                ids.append(rows["task_id"].combine_chunks().drop_null())
                yield from _differences(folders, file, rows, cluster, state.reading.as_of_ms or 0)
            except DataError as error:
                yield str(error)
        every = pa.chunked_array(ids, pa.string())
        if twice := len(every) - len(pc.unique(every)):
            yield f"{folders.folder}: {twice} tasks of {cluster} are there more than once"
        current += state.files
    yield from _unpublished(folders, current)


def _whole(folders: Shelf, file: File) -> pa.Table:
    """Return the rows of a file; raises DataError where its bytes are not those that were written."""
    place = folders.place(file)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise DataError(f"{place}: {error.strerror}") from error
    if len(content) != file.bytes:
        raise DataError(f"{place}: has {len(content)} bytes instead of {file.bytes}")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DataError(f"{place}: its bytes are not those that were written")
    return folders.read(file)


def _differences(folders: Shelf, file: File, rows: pa.Table, cluster: str, as_of_ms: int) -> Iterator[str]:
    place = folders.place(file)
    expected = shelf.described(file.path, rows, memoryview(b""), file.generation)
    for name in ("rows", "open", "gone", "first_ms", "last_ms", "latest_ms"):
        if getattr(expected, name) != getattr(file, name):
            yield f"{place}: {name} is {getattr(expected, name)}, not {getattr(file, name)} as in the manifest"
    months = pc.unique(shelf.months(rows, as_of_ms)).to_pylist()
    if not file.path.endswith(".pq") or [shelf.partition(cluster, month) for month in months] != [file.partition]:
        yield f"{place}: its tasks were created in {', '.join(months)}, not as its folder says"


def _unpublished(folders: Shelf, current: list[File]) -> Iterator[str]:
    wanted = {folders.link(file): file for file in current}
    try:
        there = set(folders.published())
    except OSError as error:
        yield f"{error.filename}: cannot be listed: {error.strerror}"
        return
    remedy = "mltasks sync mends it, if none is running"
    for link in sorted(wanted.keys() - there):
        yield f"{link}: is missing in the partitions; {remedy}"
    for link in sorted(there - wanted.keys()):
        yield f"{link}: should not be in the partitions; {remedy}"
    for link in sorted(wanted.keys() & there):
        place = folders.place(wanted[link])
        if not (place.exists() and link.samefile(place)) and link.stat().st_size != wanted[link].bytes:
            yield f"{link}: is another file than the one it stands for; remove it, and {remedy}"
