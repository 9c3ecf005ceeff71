"""What a store knows of itself: its files, and how far each cluster was followed. One JSON file, replaced whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mltasks import atomic_write
from mltasks.exceptions import DataError
from mltasks.tasks.metadata import ClusterInfo

NAME = "_manifest.json"  # pandas and pyarrow take no file for data that begins with an underscore
FORMAT = 1


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A data file, which never changes: where it lies, what proves that it is whole, and what it can hold.

    `first_ms`, `last_ms`: the least and the greatest create_time; `latest_ms`: the greatest last_update_time [ms].
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    generation: int  # of the index that its tasks were read from
    open: int
    gone: int
    first_ms: int | None
    last_ms: int | None
    latest_ms: int | None

    @property
    def partition(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]


class Fingerprint(msgspec.Struct, frozen=True):
    """A task by which an index is known again: among the newest when it was read last."""

    task_id: str
    seq_no: int
    primary_term: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster as far as it was followed: all writes up to `cursor` are in the files.

    `marks` and `total`: the newest tasks on the cluster and their number when the last reading began. `missing`: how
    many tasks of the files it had no longer when that could be told last, not counting those that are marked.
    `begun_at`: the newest number when the index was last read from its beginning.
    """

    files: tuple[StoredFile, ...] = ()
    generation: int = 0
    cursor: int = -1
    marks: tuple[Fingerprint, ...] = ()
    total: int = 0
    missing: int = 0
    begun_at: int = -1
    reading: ClusterInfo = ClusterInfo()
    unreadable: dict[str, int] = {}
    samples: dict[str, str] = {}

    @property
    def rows(self) -> int:
        """The tasks in the files."""
        return sum(file.rows for file in self.files)

    @property
    def present(self) -> int:
        """The tasks in the files that were not found gone."""
        return self.rows - sum(file.gone for file in self.files)


class ClusterState(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster's state that readers see, and that of a sync which has not come to its end yet."""

    finished: Snapshot | None = None
    unfinished: Snapshot | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All clusters by name."""

    format: int = FORMAT
    clusters: dict[str, ClusterState] = {}

    def finished(self) -> dict[str, Snapshot]:
        """Return the states that readers see."""
        return {name: f.finished for name, f in self.clusters.items() if f.finished is not None}

    def files(self) -> set[str]:
        """Return the paths of all files that a state names, finished or not."""
        states = [s for f in self.clusters.values() for s in (f.finished, f.unfinished) if s is not None]
        return {file.path for state in states for file in state.files}


def replace(state: Snapshot, **changes: Any) -> Snapshot:
    """Return a State with some fields changed."""
    return msgspec.structs.replace(state, **changes)


def read(folder: Path) -> Manifest | None:
    """Return the manifest in a folder; None where there is none. Raises DataError where it cannot be read."""
    place = folder / NAME
    try:
        text = place.read_bytes()
        found = msgspec.json.decode(text)
        if isinstance(found, dict) and found.get("format") != FORMAT:
            raise DataError(f"{place}: of format {found.get('format')!r}; this version of mltasks knows {FORMAT}")
        return msgspec.convert(found, Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{place}: cannot be read ({why}); put back a copy of it, or sync into a new store") from error


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest: before and after, readers find a whole one. Raises WriteError."""
    atomic_write.write_durable(folder / NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
