"""Waiting for the end of tasks: their states, asked for again and again, less often the longer it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mltasks.exceptions import DataError
from mltasks.opensearch.client import Cluster
from mltasks.tasks import schema

FIRST_S, LONGEST_S, GROWTH = 0.5, 15.0, 1.5  # between two questions


def wait_for_end(cluster: Cluster, ids: Sequence[str], seconds: float, *, refresh: bool = False) -> None:
    """Return when all of some tasks have ended, however.

    `refresh`: have the cluster ask the provider of a batch prediction each time. Raises DataError, naming the states,
    where that takes longer than `seconds`, and ClusterError where the cluster cannot be asked.
    """
    begun, waited, pause = time.monotonic(), 0.0, FIRST_S
    states: dict[str, str] = {}
    while True:
        if refresh:
            for task_id in ids:
                cluster.refresh(task_id)
        states |= cluster.task_states(ids)
        unfinished = [task_id for task_id in ids if schema.STATES.get(states.get(task_id, "")) in (None, schema.OPEN)]
        if not unfinished:
            return
        left = seconds - max(waited, time.monotonic() - begun)
        if left <= 0:
            which = ", ".join(f"{task_id} is {states.get(task_id, 'not found')}" for task_id in unfinished)
            raise DataError(
                f"{cluster.url}: not ended after {seconds:g} s: {which}; wait longer with --timeout, "
                "or see what mltasks unfinished says of it"
            )
        cluster.wait(min(pause, left))
        waited, pause = waited + min(pause, left), min(pause * GROWTH, LONGEST_S)
