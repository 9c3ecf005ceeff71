"""Publish a store: `Store.publish` as a function, beside `fetch` and `load`."""

from __future__ import annotations

from pathlib import Path

from mltasks.store.publish import PublishResult
from mltasks.store.store import Store


def publish(store: str | Path | Store, url: str) -> PublishResult:
    """Bring the copy of a store in object storage up to date, for others to read: only what has changed is uploaded.

    Readers see the state before or the new one, whatever happens. Two publishers cannot mix: one of them fails.

    Parameters
    ----------
    store : str, Path or Store
        The local store.
    url : str
        Where the copy is, such as ``"s3://bucket/history"``; credentials and endpoint come from the environment, as AWS
        names them.

    Returns
    -------
    PublishResult
        How many tasks are there, and what was uploaded.

    Raises
    ------
    UsageError, DataError
        Where there is no store, or at the URL is the copy of another one.
    StorageError, WriteError
        Where the URL cannot be reached, or another publisher was faster.

    Examples
    --------
    >>> mltasks.publish("history", "s3://bucket/history").tasks  # doctest: +SKIP
    552
    """
    return (store if isinstance(store, Store) else Store(store)).publish(url)
