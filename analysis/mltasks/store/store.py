"""The store: the tasks of clusters in a folder of Parquet files, kept up to date for the price of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mltasks.engines.data_files import DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import DataError, Error, UsageError
from mltasks.opensearch.access import Access, open_cluster
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.config import suggest_cluster
from mltasks.opensearch.url import canonical_name
from mltasks.store import manifest
from mltasks.store import verify as check
from mltasks.store.deletions import reconcile as find_deleted
from mltasks.store.layout import StoreLayout
from mltasks.store.manifest import Manifest, Snapshot
from mltasks.store.sync import sync_cluster
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import Transaction, open_transaction
from mltasks.store.verify import Problem
from mltasks.tasks import metadata, redact
from mltasks.tasks.metadata import Context, replace, to_iso

BEHIND_MS = 3_600_000  # so long after the others, a cluster's sync deserves a note
STEP = 50_000  # rows put into the files at once: what an interrupted sync has to read again, and what memory holds


class Store:
    """A folder with the tasks of one or more clusters; every report takes it, or its path, as a source.

    Parameters
    ----------
    path : str or Path
        The folder; the first sync makes it.
    step : int
        How many rows a sync puts into the files at once.

    Examples
    --------
    >>> mltasks.Store("history")
    <Store at history, not made yet>
    """

    def __init__(self, path: str | Path, *, step: int = STEP) -> None:
        self.path = Path(path)
        self._step = step

    def __repr__(self) -> str:
        """Return where it is and what it holds, on one line."""
        try:
            return f"<Store at {self.path}: {self.holds()}>"
        except UsageError:
            return f"<Store at {self.path}, not made yet>"
        except Error as error:
            return f"<Store at {self.path}, unreadable: {error}>"

    def sync(
        self, source: Any, access: Access | None = None, *, reconcile: bool = False, repair: bool = False
    ) -> SyncResult:
        """Bring the tasks of a cluster up to date.

        The first sync makes the store and reads everything; a later one reads what was written since. An
        interrupted one resumes where it stopped.

        Parameters
        ----------
        source : str or Cluster
            A cluster's URL, its configured name, or a `Cluster`.
        access : Access, optional
            How to reach it.
        reconcile : bool
            Compare the ids, too, and flag tasks that were deleted on the cluster: `gone_time` is when that was found.
        repair : bool
            Set data files that are missing or damaged aside, and read all tasks again.

        Returns
        -------
        SyncResult
            How many tasks are new, were updated, and are there in all.

        Raises
        ------
        UsageError, ClusterError, DataError
            Where the cluster cannot be followed or read, or the store is damaged.
        WriteError
            Where a file cannot be written, also since another sync is at work.
        """
        access = access or Access()
        if access.query is not None or access.allow_partial:
            raise UsageError("a sync takes no query and nothing partial: a store has all tasks of a cluster")
        cluster = open_cluster(source, access, prefer_files=False)
        if cluster is None:
            near = suggest_cluster(str(source), access.config)
            raise UsageError(f"{source}: only a cluster can be followed; {near}name its URL, or a configured one")
        try:
            with open_transaction(self.path) as transaction:
                named = _keep_name(cluster, transaction, is_redacted=access.redact)
                result = sync_cluster(transaction, named, access, self._step, repair=repair)
                return find_deleted(transaction, named, access, result, self._step) if reconcile else result
        finally:
            if cluster is not source:
                cluster.close()

    def files(self) -> list[Path]:
        """Return the data files of exactly one state; they stay for an hour after a sync has replaced them.

        The columns are those of the task table without `cluster`, which is in the path with the month of creation
        (`cluster=prod-eu/created=2026-11`, the name percent-encoded), and with `gone_time`.
        """
        layout = StoreLayout(self.path)
        return [layout.data_path(file) for s in self._manifest().snapshots().values() for file in s.files]

    def verify(self) -> list[str]:
        """Return what is wrong with the store, a line each: files against the manifest, columns, counts, uniqueness.

        The files that an interrupted sync resumes from are looked at, too, also where it is the first.
        """
        return [problem.text for problem in self.problems()]

    def problems(self) -> list[Problem]:
        """Return what `verify` does, and of each whether it is with the tasks or only with what a bare glob finds."""
        return list(dict.fromkeys(check.problems(StoreLayout(self.path), self._manifest(published=False))))

    def holds(self) -> str:
        """Return what is in the store, in a few words."""
        current = self._manifest()
        snapshots = current.snapshots()
        each = ", ".join(
            f"{name} ({state.rows:,} as of {to_iso(state.reading.as_of_ms)})" for name, state in snapshots.items()
        )
        files = sum(len(state.files) for state in snapshots.values())
        unread = "".join(f"; {_unread(cluster)}" for cluster in current.clusters.keys() - snapshots.keys())
        return f"{files:,} {'file' if files == 1 else 'files'} with the tasks of {each}{unread}"

    def dataset(self) -> Dataset:
        """Return the tasks as reports take them, and what is known of their clusters."""
        current = self._manifest()
        snapshots = current.snapshots()
        layout = StoreLayout(self.path)
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
        ctx = metadata.merge(contexts)
        unread = tuple(f"{self.path}: {_unread(cluster)}" for cluster in current.clusters.keys() - snapshots.keys())
        return Dataset(DataFiles(tuple(parts)), replace(ctx, notes=(*unread, *ctx.notes)))

    def _manifest(self, *, published: bool = True) -> Manifest:
        """Return the manifest; raises UsageError where there is none.

        Raises DataError where no sync has ended, and a `published` snapshot is wanted.
        """
        current = manifest.read(self.path)
        if current is None:
            raise UsageError(f"{self.path}: is not a store; make one with mltasks sync URL {self.path}")
        if published and not current.snapshots():
            raise DataError(f"{self.path}: the first sync has not come to its end; run it again, and it resumes")
        return current


def _unread(cluster: str) -> str:
    return f"none of the tasks of {cluster} is here: its first sync has not come to its end"


def _notes(cluster: str, state: Snapshot, latest_ms: int) -> Iterator[str]:
    """Yield what a reader of a report should know of a cluster's tasks."""
    if gone := state.rows - state.present:
        yield f"{gone:,} {'task' if gone == 1 else 'tasks'} of {cluster} deleted there, counted as last seen"
    as_of = state.reading.as_of_ms
    if as_of is not None and as_of < latest_ms - BEHIND_MS:
        yield f"{cluster} was synced last at {to_iso(as_of)}"


def is_store(path: Path) -> bool:
    """Tell whether a folder is a store."""
    try:
        return (path / manifest.NAME).is_file()
    except OSError:  # no name for a file
        return False


def _keep_name(cluster: Cluster, transaction: Transaction, *, is_redacted: bool) -> Cluster:
    """Return a cluster under the name that the store has for it: its address may be masked, or as first written."""
    if cluster.name != canonical_name(cluster.url):
        return cluster
    masked = redact.cluster_name(cluster.name) or ""
    stored = (cluster.name, urlsplit(cluster.url).netloc, masked)
    name = next((name for name in stored if transaction.state(name).published is not None), None)
    return cluster.with_name(name or (masked if is_redacted else cluster.name))
