"""The manifest of a store: its data files, and how far each cluster was read. One JSON file, replaced whole.

Names in the JSON are those of the first version, whatever the fields are called here: every version reads every store.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mltasks import atomic_write
from mltasks.exceptions import DataError, UsageError
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.store.paths import DATA_FOLDER, LOCK, PART, is_data_path
from mltasks.tasks.metadata import ClusterInfo

NAME = "_manifest.json"  # pandas and pyarrow take no file for data that begins with an underscore
FORMAT = 1
FIRST_COLUMNS = (  # of the files whose entry names none: mltasks 0.1.0 wrote them
    *("task_id", "task_type", "function_name", "state", "input_type", "model_id", "output_index", "tenant_id"),
    *("worker_node", "create_time", "last_update_time", "is_async", "progress", "error", "user", "remote_job"),
    *("response", "seq_no", "primary_term", "version", "extra", "gone_time"),
)
LATEST_MS = 253_402_300_799_999  # the end of the year 9999, the last one with a month that a folder is called after
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
SeqNo = Annotated[int, Meta(ge=-1, le=2**63 - 1)]


class StoredFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data file, which never changes: where it lies, what proves that it is whole, and what it can hold.

    `first_ms`, `last_ms`: the least and the greatest create_time; `latest_ms`: the greatest last_update_time [ms].
    """

    path: str
    rows: Count
    bytes: Count
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    generation: Count  # of the index that its tasks were read from
    open: Count
    gone: Count
    first_ms: Int64 | None
    last_ms: Int64 | None
    latest_ms: Int64 | None
    columns: tuple[str, ...] = FIRST_COLUMNS

    @property
    def partition(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]


class Fingerprint(msgspec.Struct, frozen=True):
    """A task by which an index is known again: among the newest when it was read last."""

    task_id: str
    seq_no: SeqNo
    primary_term: Int64


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, rename={"fingerprints": "marks", "full_read_at": "begun_at"}):
    """A cluster as far as it was read: all writes up to `cursor` are in the files.

    `fingerprints` and `total`: the newest tasks on the cluster and their number when the last reading began.
    `missing`: how many tasks of the files were deleted there when that could be told last, not counting those that
    are flagged. `full_read_at`: the newest _seq_no when the index was last read from its beginning. `recent`: see
    recent_writes.py.
    """

    files: tuple[StoredFile, ...] = ()
    generation: Count = 0
    cursor: SeqNo = -1
    fingerprints: tuple[Fingerprint, ...] = ()
    total: Count = 0
    missing: Int64 = 0
    full_read_at: SeqNo = -1
    recent: bytes = b""
    reading: ClusterInfo = ClusterInfo()
    unreadable: dict[str, Count] = {}
    samples: dict[str, str] = {}

    @property
    def rows(self) -> int:
        """The tasks in the files."""
        return sum(file.rows for file in self.files)

    @property
    def present(self) -> int:
        """The tasks in the files that are not flagged as deleted."""
        return self.rows - sum(file.gone for file in self.files)


class ClusterState(
    msgspec.Struct, frozen=True, kw_only=True, rename={"published": "finished", "in_progress": "unfinished"}
):
    """A cluster's snapshot that readers see, and that of a sync which has not ended yet."""

    published: Snapshot | None = None
    in_progress: Snapshot | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All clusters by name.

    `replaced`: data files that readers may still have open, and when they were replaced [ms].
    """

    format: int = FORMAT
    clusters: dict[str, ClusterState] = {}
    replaced: dict[str, Int64] = {}

    def snapshots(self) -> dict[str, Snapshot]:
        """Return the snapshots that readers see."""
        return {name: state.published for name, state in self.clusters.items() if state.published is not None}

    def files(self) -> set[str]:
        """Return the paths of all files that a snapshot names, published or in progress."""
        both = [s for state in self.clusters.values() for s in (state.published, state.in_progress) if s is not None]
        return {file.path for snapshot in both for file in snapshot.files}


class _Format(msgspec.Struct):
    """What tells whether the rest can be read at all."""

    format: Any = None


def replace(snapshot: Snapshot, **changes: Any) -> Snapshot:
    """Return a Snapshot with some fields changed."""
    return msgspec.structs.replace(snapshot, **changes)


def is_store(path: Path) -> bool:
    """Tell whether a folder is a store."""
    try:
        return (path / NAME).is_file()
    except (OSError, ValueError):  # no name for a file
        return False


def check_folder(folder: Path) -> None:
    """Raise UsageError for a folder that neither is a store nor can become one; OSError where it cannot be listed."""
    if not (folder / NAME).exists() and folder.exists() and _foreign_files(folder):
        raise UsageError(f"{folder}: is not a store and not empty; name a new folder, and sync makes it")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"{folder}: there is no folder {folder.parent}; make it first")


def _foreign_files(folder: Path) -> bool:
    """Tell whether anything is there that a first sync, ended before its first step, has not left."""
    ours = (LOCK, DATA_FOLDER)
    return not folder.is_dir() or any(path.name not in ours and not path.match(PART) for path in folder.iterdir())


def not_a_store(path: str | Path) -> UsageError:
    """Return the error for what is no store."""
    if path == "":
        return UsageError("STORE is empty, as a variable is that is not set; name the folder of a store")
    if "://" in str(path):
        return UsageError(f"{path}: is not a store; name the folder that mltasks sync has made, such as history")
    return UsageError(f"{path}: is not a store; make one with mltasks sync URL {path}")


def read(folder: Place) -> Manifest | None:
    """Return the manifest in a folder; None where there is none. Raises DataError where it cannot be read."""
    place = folder / NAME
    try:
        return parse(place, place.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(place, error.strerror or error) from error


def parse(place: Place, content: bytes) -> Manifest:
    """Return the manifest in the content of a file; raises DataError where it is something else."""
    try:
        number = msgspec.json.decode(content, type=_Format).format
        if number != FORMAT:
            raise DataError(f"{place}: of format {number!r}; this version of mltasks knows {FORMAT}")
        manifest = msgspec.json.decode(content, type=Manifest)
        if problem := _what_is_wrong(manifest):
            raise msgspec.ValidationError(problem)
        return manifest
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(place, ObjectPath):  # is it a manifest at all, or what a web server says to everything?
            from mltasks.object_storage.filesystem import check_endpoint

            check_endpoint(place)
        raise _unreadable(place, error) from error


def _unreadable(place: Place, why: object) -> DataError:
    remedy = "put back a copy of it: the data files in _files are as they were"
    if isinstance(place, ObjectPath):
        remedy = "remove it, and publish the store again"
    return DataError(f"{place}: cannot be read ({why}); {remedy}")


def _what_is_wrong(manifest: Manifest) -> str | None:
    """Return what no sync can have written: a path that leads elsewhere, a file twice, a time that is none."""
    for cluster, state in manifest.clusters.items():
        for snapshot in (state.published, state.in_progress):
            if snapshot is None:
                continue
            paths = [file.path for file in snapshot.files]
            for path in paths:
                if not is_data_path(path, cluster):
                    return f"{path[:200]!r} is no path of a data file of {cluster[:100]!r}"
            if len({*paths}) < len(paths):
                return f"a data file of {cluster[:100]!r} is named twice"
            if snapshot.reading.cluster not in (None, cluster):
                return f"what is known of {cluster[:100]!r} is of {str(snapshot.reading.cluster)[:100]!r}"
            if not 0 <= (snapshot.reading.as_of_ms or 0) <= LATEST_MS:
                return f"as_of of {cluster[:100]!r} is {snapshot.reading.as_of_ms}"
    return None


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest: before and after, readers find a whole one. Raises WriteError."""
    atomic_write.write_durable(folder / NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
