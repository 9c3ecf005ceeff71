"""`mltasks sync`: what has changed on a cluster, into the store named after the URL."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from benchmarks.cases import fetch
from benchmarks.cases.case import Row, measure
from mltasks import Store


def rows(store: Store) -> Iterable[Row]:
    """Yield the rows in the store's files."""
    for path in store.files():
        yield from fetch.rows(path)


if __name__ == "__main__":
    import_module("mltasks.opensearch.retry")  # imported when it is needed, which is not what is measured
    import_module("filelock")
    following = Store(Path(sys.argv[2]))
    measure(following.sync, lambda _: rows(following), "mltasks")
