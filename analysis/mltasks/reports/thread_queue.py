"""How long trainings waited for a thread of their node, and how long they ran."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np


class Waits(NamedTuple):
    """Of each task how long it waited and ran [ms]; a run may come out below 0 where the order was another one."""

    wait_ms: np.ndarray[Any, Any]
    run_ms: np.ndarray[Any, Any]


def wait_and_run(created: Any, ended: Any, threads: int) -> Waits:
    """Split the durations of the tasks of one node: a pool of `threads` takes them in the order of creation.

    `created` in its order, and `ended` [ms], without the tasks that the pool rejected. A task starts when it is
    created, or when fewer than `threads` of those created before it have not ended: J. Kiefer and J. Wolfowitz, "On
    the theory of queues with many servers", Transactions of the AMS 78 (1955) 1-18.
    """
    created, ended = np.asarray(created, "int64"), np.asarray(ended, "int64")
    if threads == 1:
        free = np.maximum.accumulate(ended)[:-1]
        started = np.concatenate([created[:1], np.maximum(created[1:], free)])
    else:
        started = np.fromiter(_starts(created.tolist(), ended.tolist(), threads), "int64", len(created))
    return Waits(started - created, ended - started)


def _starts(created: list[int], ended: list[int], threads: int) -> Any:
    """Yield when each task starts; `latest` holds the latest ends so far, one a thread, the earliest first."""
    latest: list[int] = []
    for begin, end in zip(created, ended, strict=True):
        yield max(begin, latest[0]) if len(latest) == threads else begin
        if len(latest) < threads:
            heapq.heappush(latest, end)
        else:
            heapq.heappushpop(latest, end)
