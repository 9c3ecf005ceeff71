"""The store: the tasks of clusters in a folder of Parquet files, kept up to date for the price of what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.object_storage.path import is_object_url
from mltasks.opensearch.access import Access, no_cluster, open_cluster
from mltasks.store.deletions import reconcile as find_deleted
from mltasks.store.publish import PublishResult, publish
from mltasks.store.stored_name import keep_name
from mltasks.store.stored_tasks import StoredTasks
from mltasks.store.sync import sync_cluster
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import open_transaction

STEP = 50_000  # rows put into the files at once: what an interrupted sync has to read again, and what memory holds


class Store(StoredTasks[Path]):
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
        if is_object_url(path):
            raise UsageError(f"{path}: a Store is a local folder; publish one there, and read it by mltasks.scan")
        super().__init__(Path(path))
        self._step = step

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
            raise no_cluster(str(source), access.config)
        try:
            with open_transaction(self.path) as transaction:
                named = keep_name(cluster, transaction, is_redacted=access.redact)
                result = sync_cluster(transaction, named, access, self._step, repair=repair)
                return find_deleted(transaction, named, access, result, self._step) if reconcile else result
        finally:
            if cluster is not source:
                cluster.close()

    def publish(self, url: str) -> PublishResult:
        """Bring a copy of the store in object storage up to date, for others to read.

        Only what has changed is uploaded, the manifest last and only where nobody else has replaced it. Readers see the
        state before or the new one, whatever happens.

        Parameters
        ----------
        url : str
            Where the copy is, such as ``"s3://bucket/history"``; credentials and endpoint come from the environment.

        Returns
        -------
        PublishResult
            How many tasks are there, and what was uploaded.

        Raises
        ------
        UsageError, DataError
            Where this is no store, or there is the copy of another one.
        StorageError, WriteError
            Where it cannot be reached, or another publisher was faster.
        """
        return publish(self.path, url)
