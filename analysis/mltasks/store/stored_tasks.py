"""The tasks of a store as readers see them: a local folder, or a published copy in object storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic

from mltasks.engines.data_files import DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import DataError, Error, UsageError
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.store import manifest
from mltasks.store import verify as check
from mltasks.store.data_folder import DataFolder, P
from mltasks.store.layout import StoreLayout
from mltasks.store.manifest import Manifest, Snapshot
from mltasks.store.paths import DATA_FOLDER
from mltasks.store.verify import Problem
from mltasks.tasks import metadata
from mltasks.tasks.metadata import Context, replace, to_iso
from mltasks.tasks.plural import count_of

BEHIND_MS = 3_600_000  # so long after the others, a cluster's sync deserves a note


class StoredTasks(Generic[P]):
    """What can be read of a store, wherever it lies: `path` is a folder, or a prefix in object storage."""

    def __init__(self, path: P) -> None:
        self.path: P = path

    def __repr__(self) -> str:
        """Return where it is and what it holds, on one line."""
        try:
            return f"<Store at {self.path}: {self.holds()}>"
        except UsageError:
            return f"<Store at {self.path}, not made yet>"
        except Error as error:
            return f"<Store at {self.path}, unreadable: {error}>"

    def exists(self) -> bool:
        """Tell whether there is a store; raises DataError where its manifest cannot be read."""
        return manifest.read(self.path) is not None

    def files(self) -> list[P]:
        """Return the data files of exactly one state; they stay for an hour after a sync has replaced them.

        The columns are those of the task table without `cluster`, which is in the path with the month of creation
        (`cluster=prod-eu/created=2026-11`, the name percent-encoded), and with `gone_time`.
        """
        layout = DataFolder(self.path)
        return [layout.data_path(file) for s in self._manifest().snapshots().values() for file in s.files]

    def verify(self) -> list[str]:
        """Return what is wrong with the store, a line each: files against the manifest, columns, counts, uniqueness.

        The files that an interrupted sync resumes from are looked at, too, also where it is the first.
        """
        return [problem.text for problem in self.problems()]

    def problems(self) -> list[Problem]:
        """Return what `verify` does, and of each whether it is with the tasks or only with what a bare glob finds."""
        path: Place = self.path
        layout = StoreLayout(path) if isinstance(path, Path) else DataFolder(path)
        return list(dict.fromkeys(check.problems(layout, self._manifest(published=False))))

    def holds(self) -> str:
        """Return what is in the store, in a few words."""
        current = self._manifest()
        snapshots = current.snapshots()
        each = ", ".join(
            f"{name} ({state.rows:,} as of {to_iso(state.reading.as_of_ms)})" for name, state in snapshots.items()
        )
        files = sum(len(state.files) for state in snapshots.values())
        unread = "".join(f"; {_unread(cluster)}" for cluster in current.clusters.keys() - snapshots.keys())
        return f"{count_of(files, 'file')} with the tasks of {each}{unread}"

    def dataset(self) -> Dataset:
        """Return the tasks as reports take them, and what is known of their clusters."""
        current = self._manifest()
        snapshots = current.snapshots()
        layout = DataFolder(self.path)
        parts = [
            DataFile(layout.data_path(f), cluster, f.rows, f.first_ms, f.last_ms, f.latest_ms, f.open, f.columns)
            for cluster, state in snapshots.items()
            for f in state.files
        ]
        latest = max(state.reading.as_of_ms or 0 for state in snapshots.values())
        contexts = [
            Context(
                source=str(self.path),
                readings=(state.reading,),
                unreadable=state.unreadable,
                samples=state.samples,
                notes=tuple(_notes(cluster, state, latest)),
            )
            for cluster, state in snapshots.items()
        ]
        merged: Context = metadata.merge(contexts)
        notes: tuple[str, ...] = tuple(
            f"{self.path}: {_unread(cluster)}" for cluster in current.clusters.keys() - snapshots.keys()
        )
        return Dataset(DataFiles(tuple(parts)), replace(merged, notes=(*notes, *merged.notes)))

    def _read(self) -> Manifest | None:
        return manifest.read(self.path)

    def _manifest(self, *, published: bool = True) -> Manifest:
        """Return the manifest; raises UsageError where there is none.

        Raises DataError where no sync has ended, and a `published` snapshot is wanted.
        """
        current = self._read()
        if current is None:
            raise manifest.not_a_store(str(self.path))
        if published and not current.snapshots():
            raise DataError(f"{self.path}: the first sync has not come to its end; run it again, and it resumes")
        return current


class PublishedStore(StoredTasks[ObjectPath]):
    """A store that `publish` copied to object storage."""

    def refuse_half(self) -> None:
        """Raise DataError where there are data files and no manifest, UsageError where there is no bucket."""
        if any(info.relative.startswith(f"{DATA_FOLDER}/cluster=") for info in self.path.objects().values()):
            raise DataError(
                f"{self.path}: half a published store: it has data files and no manifest; run mltasks publish again"
            )

    def _read(self) -> Manifest:
        """Return the manifest; raises UsageError or DataError where there is none."""
        with self.path.reasons():
            current = super()._read()
        if current is None:
            self.refuse_half()
            raise UsageError(f"{self.path}: is not a store; publish one there")
        return current


def _unread(cluster: str) -> str:
    return f"none of the tasks of {cluster} is here: its first sync has not come to its end"


def _notes(cluster: str, state: Snapshot, latest_ms: int) -> Iterator[str]:
    """Yield what a reader of a report should know of a cluster's tasks."""
    if gone := state.rows - state.present:
        yield f"{count_of(gone)} of {cluster} deleted there, counted as last seen"
    as_of = state.reading.as_of_ms
    if as_of is not None and as_of < latest_ms - BEHIND_MS:
        yield f"{cluster} was synced last at {to_iso(as_of)}"
