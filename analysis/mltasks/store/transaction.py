"""One change of a store: made by one process at a time, from checkpoint to checkpoint, each a whole manifest."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mltasks import atomic_write
from mltasks.exceptions import WriteError
from mltasks.store import manifest, orphans
from mltasks.store.layout import StoreLayout
from mltasks.store.manifest import ClusterState, Manifest, Snapshot
from mltasks.store.paths import LOCK

if TYPE_CHECKING:
    from filelock import BaseFileLock

STILL_READ_MS = 3_600_000  # for so long after a file was replaced, a report that knows the state before may read it


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Transaction:
    """The manifest of a store, and the only way to change it."""

    def __init__(self, layout: StoreLayout, current: Manifest, *, is_locked: bool = True) -> None:
        self.layout = layout
        self._is_locked = is_locked  # by the system, which gives the lock back however the process ends
        self.copies = 0  # of data files in the partitions, where links are refused
        self._current = current

    def state(self, cluster: str) -> ClusterState:
        """Return how far a cluster was read."""
        return self._current.clusters.get(cluster, ClusterState())

    def checkpoint(self, cluster: str, snapshot: Snapshot) -> None:
        """Keep a snapshot for a later sync to resume from; readers do not see it. Raises WriteError."""
        self._replace(cluster, ClusterState(published=self.state(cluster).published, in_progress=snapshot))

    def commit(self, cluster: str, snapshot: Snapshot) -> None:
        """Make a snapshot the one that readers see; raises WriteError."""
        try:
            self._replace(cluster, ClusterState(published=snapshot))
        finally:
            self._publish_links()

    def _replace(self, cluster: str, state: ClusterState) -> None:
        changed = Manifest(
            clusters={**self._current.clusters, cluster: state}, replaced=self._list_replaced(cluster, state)
        )
        try:
            manifest.write(self.layout.folder, changed)
        except WriteError:  # it may be there all the same, and only the power must not go
            self._current = manifest.read(self.layout.folder) or self._current
            raise
        self._current = changed

    def _list_replaced(self, cluster: str, state: ClusterState) -> dict[str, int]:
        """Return the files that readers may have open when a cluster's state becomes another one."""
        before, after = (s.published or Snapshot() for s in (self.state(cluster), state))
        replaced = {file.path for file in before.files} - {file.path for file in after.files}
        return self._still_read() | dict.fromkeys(sorted(replaced), _now_ms())

    def _still_read(self) -> dict[str, int]:
        """Return the files that were replaced within the hour, by a clock that may have been set back."""
        now = _now_ms()
        return {path: at for path, at in self._current.replaced.items() if abs(now - at) < STILL_READ_MS}

    def clean_up(self, cluster: str) -> None:
        """Remove the data files that no snapshot of a cluster names; make the partitions hold what readers see."""
        orphans.remove_orphans(self.layout.folder, self._current.files() | self._still_read().keys(), cluster)
        self._publish_links()

    def _publish_links(self) -> None:
        snapshots = self._current.snapshots().values()
        self.copies += self.layout.publish_links(file for snapshot in snapshots for file in snapshot.files)

    def not_guaranteed(self) -> tuple[str, ...]:
        """Return what the file system does not do for a store, a sentence each."""
        folder, sentences = self.layout.folder, []
        if not atomic_write.syncs_folders(folder):
            sentences.append(f"{folder}: the file system syncs no folders: the last sync may be lost if the power goes")
        if not self._is_locked:
            sentences.append(f"{folder}: the file system has no locks: let no other machine sync to it meanwhile")
        if self.copies:
            sentences.append(f"{folder}: the file system refuses links: the partitions hold copies, which take space")
        return tuple(sentences)


@contextmanager
def open_transaction(folder: Path) -> Iterator[Transaction]:
    """Open a store for writing; it is made if it is not there.

    Raises UsageError where the folder is something else, WriteError where it cannot be written or another process
    writes into it.
    """
    lock, is_locked = _lock(folder)
    try:
        yield Transaction(StoreLayout(folder), manifest.read(folder) or Manifest(), is_locked=is_locked)
    finally:
        with suppress(OSError):  # the system gives it back when the process ends, however that comes
            lock.release()


def _lock(folder: Path) -> tuple[BaseFileLock, bool]:
    """Return the lock of a store, taken, and whether the file system knows locks: else it is a file that is there."""
    from filelock import FileLock, Timeout  # only a sync needs it

    try:
        manifest.check_folder(folder)
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        with warnings.catch_warnings(record=True) as said:  # that there are no locks
            warnings.simplefilter("always")
            lock.acquire()
    except NotImplementedError:  # filelock before 4.0
        raise WriteError(f"{folder}: the file system has no locks; make the store on another one") from None
    except Timeout:
        raise WriteError(f"{folder}: another sync is writing to it; try again when it has ended") from None
    except OSError as error:
        raise WriteError(f"{folder}: cannot be written: {error.strerror}") from error
    return lock, not said
