"""Single tasks by id, from any source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.opensearch.access import Access, open_cluster
from mltasks.sources import load


def get(
    source: Any, ids: str | Sequence[str], access: Access | None = None, /, *, refresh: bool = False
) -> pd.DataFrame:
    """Return the tasks with these ids, in their order, as `load` does; raises UsageError naming ids not found.

    Reading has no side effect. `refresh` asks the cluster for each task first, which makes it poll the provider of
    a batch prediction and rewrite its record.
    """
    access = access or Access()
    wanted = list(dict.fromkeys([ids] if isinstance(ids, str) else ids))
    place = str(source) if isinstance(source, str | Path) else getattr(source, "url", f"the {type(source).__name__}")
    cluster = open_cluster(source, access)
    if refresh:
        if cluster is None:
            raise UsageError(f"{place}: only a cluster can refresh a task; leave out --refresh")
        for task_id in wanted:
            cluster.refresh(task_id)
    query = {"ids": {"values": wanted}} if cluster is not None else None
    tasks = load.load(cluster or source, access, query=query)
    known = set(tasks["task_id"])
    if missing := [task_id for task_id in wanted if task_id not in known]:
        raise UsageError(f"{place}: there is no task {', '.join(missing)}; list them with mltasks list")
    order = {task_id: n for n, task_id in enumerate(wanted)}
    found = tasks[tasks["task_id"].isin(wanted)]
    return found.sort_values("task_id", key=lambda column: column.map(order), kind="stable", ignore_index=True)
