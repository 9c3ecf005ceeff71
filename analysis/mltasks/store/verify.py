"""Whether a store is what its manifest says: every file whole, every row in its place, every task once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.exceptions import DataError
from mltasks.object_storage.path import ObjectPath
from mltasks.store.data_folder import DataFolder
from mltasks.store.layout import StoreLayout, describe_file
from mltasks.store.manifest import LATEST_MS, Manifest, Snapshot, StoredFile
from mltasks.store.paths import IMPLAUSIBLE, copy_path, months, partitions
from mltasks.tasks.plural import count_of


@dataclass(frozen=True)
class Problem:
    """What is wrong, in a line. `lost`: with the tasks themselves, and not only with what a bare glob finds."""

    text: str
    lost: bool = True


def problems(layout: DataFolder[Any], manifest: Manifest) -> Iterator[Problem]:
    """Yield what is wrong with the files that readers see, and with those that an interrupted sync goes on from."""
    seen: dict[str, pa.Array] = {}
    for cluster, followed in manifest.clusters.items():
        for state in (followed.published, followed.in_progress):
            if state is not None:
                yield from _in_files(layout, cluster, state, seen)
    current = [file for state in manifest.snapshots().values() for file in state.files]
    if isinstance(layout, StoreLayout):
        yield from _in_partitions(layout, current)
    else:
        yield from _in_copies(layout.folder, current)


def _in_files(layout: DataFolder[Any], cluster: str, state: Snapshot, seen: dict[str, pa.Array]) -> Iterator[Problem]:
    """Yield what is wrong with the files of a state; `seen` are the ids of the tasks in those looked at before."""
    for file in state.files:
        if file.path in seen:
            continue
        seen[file.path] = pa.array([], pa.string())
        try:
            rows = layout.parse(file, layout.content(file))
        except DataError as error:
            yield Problem(str(error))
            continue
        seen[file.path] = rows["task_id"].combine_chunks().drop_null()
        for difference in _differences(file, rows, cluster):
            yield Problem(f"{layout.data_path(file)}: {difference}")
    every = pa.chunked_array([seen[file.path] for file in state.files], pa.string())
    if twice := len(every) - len(pc.unique(every)):
        yield Problem(
            f"{layout.folder}: {count_of(twice)} of {cluster} {'is' if twice == 1 else 'are'} there more than once"
        )


def _differences(file: StoredFile, rows: pa.Table, cluster: str) -> Iterator[str]:
    """Yield what a file holds otherwise than the manifest and its folder say.

    In the partition of implausible times any task is right: it came there because of what the time was, by the clock
    of who synced, when it was written, and nobody knows that later. In a month all are of that month.
    """
    described = describe_file(file.path, rows, memoryview(b""), file.generation)
    for name in ("rows", "open", "gone", "first_ms", "last_ms", "latest_ms"):
        if getattr(described, name) != getattr(file, name):
            yield f"{name} is {getattr(described, name)}, not {getattr(file, name)} as in the manifest"
    created = [partitions(cluster, month) for month in pc.unique(months(rows, LATEST_MS)).to_pylist()]
    one_month = len(created) == 1 and file.partition in created[0]
    if file.partition not in partitions(cluster, IMPLAUSIBLE) and not one_month:
        yield f"its tasks belong to {', '.join(folders[0] for folders in created)}, not to its folder"


def _in_partitions(layout: StoreLayout, current: list[StoredFile]) -> Iterator[Problem]:
    """Yield what a bare glob finds otherwise than the manifest says."""
    wanted = {layout.link_path(file): file for file in current}
    try:
        there, strangers = layout.links(), layout.foreign_files()
    except OSError as error:
        yield Problem(f"{error.filename}: cannot be listed: {error.strerror}", lost=False)
        return
    remedy = "mltasks sync mends it, if none is running"
    for link in sorted(wanted.keys() - there):
        yield Problem(f"{link}: is missing in the partitions; {remedy}", lost=False)
    for link in sorted(there - wanted.keys()):
        yield Problem(f"{link}: should not be in the partitions; {remedy}", lost=False)
    for path in sorted(strangers):
        yield Problem(f"{path}: is not of the store, but a bare glob finds it; move it elsewhere", lost=False)
    for link in sorted(wanted.keys() & there):
        try:
            right = _stands_for(link, layout.data_path(wanted[link]), wanted[link])
        except OSError as error:  # it may be gone since it was listed
            yield Problem(f"{link}: cannot be read: {error.strerror}; {remedy}", lost=False)
            continue
        if not right:
            yield Problem(f"{link}: is another file than the one it stands for; remove it, and {remedy}", lost=False)


def _in_copies(place: ObjectPath, current: list[StoredFile]) -> Iterator[Problem]:
    """Yield what a glob finds in a published store otherwise than the manifest says."""
    wanted = {copy_path(place, file.path): file.bytes for file in current}
    there = {path: info.size for path, info in place.objects().items() if path.name.endswith(".parquet")}
    remedy = "mltasks publish mends it, if none is running"
    for path in sorted(wanted, key=str):
        if there.get(path) != wanted[path]:
            what = "is of another size" if path in there else "is missing in the partitions"
            yield Problem(f"{path}: {what}; {remedy}", lost=False)
    for path in sorted(there.keys() - wanted.keys(), key=str):
        yield Problem(f"{path}: is not of the store, but a bare glob finds it; {remedy}, or remove it", lost=False)


def _stands_for(link: Path, place: Path, file: StoredFile) -> bool:
    """Tell whether a file in the partitions is a link to the data file, or a copy of what was written."""
    if place.exists() and link.samefile(place):
        return True
    return hashlib.sha256(link.read_bytes()).hexdigest() == file.sha256
