"""A report shown time and again, with what the nodes of its clusters train above it, until it is interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from mltasks.cli import open_sources
from mltasks.exceptions import Error
from mltasks.opensearch import cluster_info
from mltasks.opensearch.access import open_cluster
from mltasks.render import terminal_nodes, write
from mltasks.tasks import times

if TYPE_CHECKING:
    from mltasks.opensearch.access import Access

CLEAR = "\x1b[H\x1b[2J"  # of a terminal: to the first line, and nothing on the screen


def repeat(span: str, names: Sequence[str], access: Access, render: Callable[[], str]) -> NoReturn:
    """Write what `render` gives, and again after a span, such as `5s`, without an end.

    What cannot be read the first time is raised; later it is said, since a node may come back.
    """
    seconds = times.parse_span(span, "--watch")
    with open_sources.status_line(names):
        text = _head(names, access) + render()
    while True:
        write.write(f"{CLEAR if write.is_terminal() else ''}{text}\n")
        time.sleep(seconds)  # the pause between two readings that the user asked for with --watch
        try:
            text = _head(names, access) + render()
        except Error as error:
            open_sources.print_error(error)


def _head(names: Sequence[str], access: Access) -> str:
    """Return the time, and of each cluster what its nodes train."""
    pools: list[cluster_info.TrainPool] = []
    for name in names:
        cluster = open_cluster(name, access)
        if cluster is not None:
            pools += cluster_info.read_train_pools(cluster) or []
            cluster.close()
    return terminal_nodes.render(datetime.now(UTC), pools)
