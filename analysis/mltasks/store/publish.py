"""A store's copy in object storage: data files first, the manifest last and on a condition.

    _manifest.json                                     what is current; readers of mltasks use it
    _files/cluster=prod-eu/created=2026-11/3f0c.pq     data files under names of their own; they never change
    cluster=prod-eu/created=2026-11/3f0c.parquet       copies of those that are current, for a glob of other tools

The manifest is replaced only where it still is the one that was read at the start. So of two publishers one fails and
has changed nothing that readers see. Each upload has a new name: what a failed one has left is never used again, and
whoever has replaced the manifest may remove it, since nobody can name it any more.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mltasks.exceptions import DataError, UsageError, WriteError
from mltasks.object_storage import s3_client
from mltasks.object_storage.path import ObjectInfo, ObjectPath
from mltasks.store import manifest
from mltasks.store.data_folder import DataFolder
from mltasks.store.manifest import ClusterState, Manifest, Snapshot, StoredFile
from mltasks.store.paths import DATA_FOLDER, copy_path, is_data_path
from mltasks.store.target import parse_target
from mltasks.tasks.metadata import to_iso

STILL_READ_MS = 3_600_000  # for so long after a file was replaced, a report that knows the state before may read it
Objects = dict[ObjectPath, ObjectInfo]


@dataclass(frozen=True)
class PublishResult:
    """What `publish` did.

    Attributes
    ----------
    url : str
        Where the copy is.
    tasks : int
        How many tasks are in it.
    files : int
        How many data files they are in.
    uploaded, uploaded_bytes : int
        The data files that were not there before, and their size.
    removed : int
        Data files that no reader needs any more.
    """

    url: str
    tasks: int
    files: int
    uploaded: int = 0
    uploaded_bytes: int = 0
    removed: int = 0


def publish(store: Path, url: str) -> PublishResult:
    """Bring the copy of a store up to date; raises UsageError, DataError, StorageError or WriteError."""
    target, local = parse_target(url), manifest.read(store)
    if local is None:
        raise manifest.not_a_store(store)
    if not local.snapshots():
        raise DataError(f"{store}: the first sync has not come to its end; run it again, and it resumes")
    version = s3_client.read_version(target / manifest.NAME)
    before = Manifest() if version is None else manifest.parse(target / manifest.NAME, version.content)
    _refuse_another_store(target, before, local)
    objects = target.objects()
    uploads = _Uploads(DataFolder(store), DataFolder(target), before, objects)
    clusters = {name: ClusterState(published=uploads.add(name, state)) for name, state in local.snapshots().items()}
    after = Manifest(clusters=clusters, replaced=_still_read(before, clusters))
    changed = clusters != before.clusters
    unused = _unused(target, after, objects)
    if changed or unused:
        _put_manifest(target / manifest.NAME, after, version)
    _update_copies(target, after, objects)
    for place in unused:
        s3_client.delete(place)
    states = after.snapshots().values()
    files = sum(len(state.files) for state in states)
    rows = sum(state.rows for state in states)
    return PublishResult(str(target), rows, files, uploads.count, uploads.bytes, len(unused))


class _Publication(Manifest, frozen=True, kw_only=True):
    """A manifest with a number of its own: an ETag tells contents apart, and no two publications have the same."""

    publication: str


class _Uploads:
    """Puts the data files that are not there yet, and counts them."""

    def __init__(
        self, source: DataFolder[Path], target: DataFolder[ObjectPath], before: Manifest, objects: Objects
    ) -> None:
        self._source, self._target = source, target
        self.count = self.bytes = 0
        there = [file for state in before.snapshots().values() for file in state.files]
        whole = [file for file in there if _size(objects, target.data_path(file)) == file.bytes]
        self._there = {(file.partition, file.sha256): file for file in whole}

    def add(self, cluster: str, state: Snapshot) -> Snapshot:
        """Return a cluster's snapshot with the files as they are called in object storage, all of them there."""
        files = [self._there.get((file.partition, file.sha256)) or self._put(file) for file in state.files]
        named = [msgspec.structs.replace(file, path=at.path) for file, at in zip(state.files, files, strict=True)]
        return manifest.replace(state, files=tuple(named))

    def _put(self, file: StoredFile) -> StoredFile:
        named = msgspec.structs.replace(file, path=f"{file.partition}/{secrets.token_hex(8)}.pq")
        s3_client.put(self._target.data_path(named), self._source.content(file))
        self.count += 1
        self.bytes += file.bytes
        return named


def _refuse_another_store(target: ObjectPath, before: Manifest, local: Manifest) -> None:
    """Raise UsageError where what is published is of another store, or of a later state of this one."""
    snapshots = local.snapshots()
    for cluster, there in before.snapshots().items():
        if cluster not in snapshots:
            raise UsageError(
                f"{target}: is the copy of another store, with the tasks of {cluster}; publish to another prefix"
            )
        published, own = there.reading.as_of_ms or 0, snapshots[cluster].reading.as_of_ms or 0
        if published > own:
            raise UsageError(
                f"{target}: has a later state of {cluster} ({to_iso(published)}, not {to_iso(own)}); publish the store "
                "that it is of, or to another prefix"
            )


def _still_read(before: Manifest, clusters: dict[str, ClusterState]) -> dict[str, int]:
    """Return the files that readers of an earlier state may still read, and when they were replaced [ms]."""
    now, current = time.time_ns() // 1_000_000, Manifest(clusters=clusters).files()
    still = {path: at for path, at in before.replaced.items() if abs(now - at) < STILL_READ_MS}
    return still | dict.fromkeys(sorted(before.files() - current), now)


def _unused(target: ObjectPath, after: Manifest, objects: Objects) -> list[ObjectPath]:
    """Return the data files that were there at the start and that no reader needs."""
    needed = {target / DATA_FOLDER / path for path in (*after.files(), *after.replaced)}
    folder = f"{DATA_FOLDER}/"
    return [place for place, info in objects.items() if info.relative.startswith(folder) and place not in needed]


def _put_manifest(place: ObjectPath, after: Manifest, version: s3_client.Version | None) -> None:
    """Replace the manifest, if it is the one that was read; raises WriteError where another publisher was faster."""
    numbered = _Publication(clusters=after.clusters, replaced=after.replaced, publication=secrets.token_hex(8))
    content = msgspec.json.format(msgspec.json.encode(numbered), indent=1)
    try:
        s3_client.put(place, content, version.etag if version else None, new=version is None)
    except s3_client.ConditionError as error:
        there = s3_client.read_version(place)  # ours, where the answer to the first of two tries was lost
        if there is None or there.content != content:
            raise WriteError(
                f"{place}: another mltasks publish was faster; nothing was changed: run it again when that has ended"
            ) from error


def _update_copies(target: ObjectPath, after: Manifest, objects: Objects) -> None:
    """Make what a glob finds be the current files, beside what is not ours."""
    current = [file for state in after.snapshots().values() for file in state.files]
    wanted = {copy_path(target, file.path): file for file in current}
    for place, file in wanted.items():
        if _size(objects, place) != file.bytes:
            s3_client.copy(target / DATA_FOLDER / file.path, place)
    for place in _own_copies(after, objects):
        if place not in wanted:
            s3_client.delete(place)


def _own_copies(after: Manifest, objects: Objects) -> Iterator[ObjectPath]:
    for place, info in objects.items():
        path = f"{info.relative.removesuffix('.parquet')}.pq"
        if info.relative.endswith(".parquet") and any(is_data_path(path, cluster) for cluster in after.clusters):
            yield place


def _size(objects: Objects, place: ObjectPath) -> int | None:
    return objects[place].size if place in objects else None
