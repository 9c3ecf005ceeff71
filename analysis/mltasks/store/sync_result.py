"""What a sync did, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SyncResult:
    """What a sync did with the tasks of one cluster; `Store.sync` returns it.

    Attributes
    ----------
    cluster : str
        Its name.
    tasks : int
        How many tasks of it are in the store now.
    new, updated : int
        Tasks that were not there before, and tasks that are there in a later version.
    gone : int
        Tasks that were found to be deleted on the cluster, and flagged.
    missing : int or None
        How many more the cluster has no longer, by the count; None where tasks were being written meanwhile.
    anew : bool
        Whether the index is another one than before, so that it was read from its beginning.
    resumed : bool
        Whether an interrupted sync was finished.
    damaged : tuple of str
        The data files that `repair` has set aside.
    recovered, lost : int
        Of their tasks, those read again, and those that are on the cluster no longer.
    not_guaranteed : tuple of str
        What the file system does not do for a store.
    """

    cluster: str
    tasks: int
    new: int = 0
    updated: int = 0
    gone: int = 0
    missing: int | None = 0
    anew: bool = False
    resumed: bool = False
    damaged: tuple[str, ...] = ()
    recovered: int = 0
    lost: int = 0
    not_guaranteed: tuple[str, ...] = ()
