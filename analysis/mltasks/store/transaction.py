"""A store open for writing: by one process at a time, step by step, each step a manifest that is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mltasks.exceptions import UsageError, WriteError
from mltasks.store import manifest
from mltasks.store.layout import KEPT, PART, StoreLayout
from mltasks.store.manifest import ClusterState, Manifest, Snapshot

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = "_lock"


class Transaction:
    """The manifest of a store, and the only way to change it."""

    def __init__(self, shelf: StoreLayout, current: Manifest) -> None:
        self.shelf = shelf
        self._current = current

    def followed(self, cluster: str) -> ClusterState:
        """Return how far a cluster was followed."""
        return self._current.clusters.get(cluster, ClusterState())

    def step(self, cluster: str, state: Snapshot) -> None:
        """Keep a state for a later sync to go on from; readers do not see it. Raises WriteError."""
        self._replace(cluster, ClusterState(finished=self.followed(cluster).finished, unfinished=state))

    def finish(self, cluster: str, state: Snapshot) -> None:
        """Make a state the one that readers see; raises WriteError."""
        try:
            self._replace(cluster, ClusterState(finished=state))
        finally:
            self._publish()

    def _replace(self, cluster: str, followed: ClusterState) -> None:
        changed = Manifest(clusters={**self._current.clusters, cluster: followed})
        try:
            manifest.write(self.shelf.folder, changed)
        except WriteError:  # it may be there all the same, and only the power must not go
            self._current = manifest.read(self.shelf.folder) or self._current
            raise
        self._current = changed

    def tidy(self, cluster: str) -> None:
        """Remove what no state of a cluster names any more, and make the partitions hold what readers are to see."""
        self.shelf.sweep(self._current.files(), cluster)
        self._publish()

    def _publish(self) -> None:
        self.shelf.publish(file for state in self._current.finished().values() for file in state.files)


@contextmanager
def open_transaction(folder: Path) -> Iterator[Transaction]:
    """Open a store for writing; it is made if it is not there.

    Raises UsageError where the folder is something else, WriteError where it cannot be written or another process
    is writing.
    """
    lock = _lock(folder)
    try:
        yield Transaction(StoreLayout(folder), manifest.read(folder) or Manifest())
    finally:
        with suppress(OSError):  # the system gives it back when the process ends, however that comes
            lock.release()


def _lock(folder: Path) -> BaseFileLock:
    """Return the lock of a store, taken."""
    from filelock import FileLock, Timeout  # only a sync needs it

    try:
        if manifest.read(folder) is None and folder.exists() and _foreign_files(folder):
            raise UsageError(f"{folder}: is not a store and not empty; name a new folder, and sync makes it")
        if not folder.absolute().parent.is_dir():
            raise UsageError(f"{folder}: there is no folder {folder.parent}; make it first")
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise WriteError(f"{folder}: another sync is writing to it; try again when it has ended") from None
    except OSError as error:
        raise WriteError(f"{folder}: cannot be written: {error.strerror}") from error
    return lock


def _foreign_files(folder: Path) -> bool:
    """Tell whether anything is there that a first sync, ended before its first step, has not left."""
    ours = (LOCK, KEPT)
    return not folder.is_dir() or any(found.name not in ours and not found.match(PART) for found in folder.iterdir())
