"""Single tasks by id, from any source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.opensearch.access import Access, Query, open_cluster
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.wait import wait_for_end
from mltasks.sources import load, source_kind
from mltasks.tasks import schema, times


def get(
    source: Any,
    ids: str | Sequence[str],
    access: Access | None = None,
    *,
    refresh: bool = False,
    wait: str | None = None,
) -> pd.DataFrame:
    """Return single tasks by their ids.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    ids : str or list of str
        The ids, in any order.
    refresh : bool
        Ask the cluster for each task first, which makes it poll the provider of a batch prediction and rewrite its
        record. Without it, reading has no side effect.
    wait : str, optional
        Return when all of them have ended, however, and wait so long for it: ``"30s"``, ``"10m"``, ``"2h"``.

    Returns
    -------
    pandas.DataFrame
        The tasks in the order of `ids`, with the columns that `load` gives.

    Raises
    ------
    UsageError
        For ids that no task has, and for `refresh` of what is no cluster, or `wait` for what has not ended there.
    ClusterError, DataError
        As `load` does; DataError also where a task has not ended after `wait`.

    Examples
    --------
    >>> mltasks.get("demo", "-HCVD6IBiXUMJeGlHdJP")["state"].tolist()
    ['FAILED']
    """
    access = access or Access()
    wanted = list(dict.fromkeys([ids] if isinstance(ids, str) else ids))
    place = str(source) if isinstance(source, str | Path) else getattr(source, "url", f"the {type(source).__name__}")
    cluster = open_cluster(source, access)
    seconds = None if wait is None else times.parse_span(wait, "wait")
    if refresh:
        if cluster is None:
            raise source_kind.no_refresh(place)
        for task_id in wanted:
            cluster.refresh(task_id)
    tasks = _read(cluster or source, place, wanted, access)
    if seconds is None or not (tasks["outcome"] == schema.OPEN).any():
        return tasks
    if cluster is None:
        raise UsageError(f"{place}: only a cluster has tasks that end while one waits; leave out --wait (wait)")
    wait_for_end(cluster, wanted, seconds, refresh=refresh)
    return _read(cluster, place, wanted, access)


def _read(source: Any, place: str, ids: Sequence[str], access: Access) -> pd.DataFrame:
    """Return the tasks with these ids, in their order."""
    if isinstance(source, Cluster):
        access = replace(access, query=_with_ids(ids, access.query))
    tasks = load.load(source, access)
    ids_there = set(tasks["task_id"])
    if missing := [task_id for task_id in ids if task_id not in ids_there]:
        raise UsageError(f"{place}: there is no task {', '.join(missing)}; list them with mltasks list")
    order = {task_id: n for n, task_id in enumerate(ids)}
    rows = tasks[tasks["task_id"].isin(ids)]
    return rows.sort_values("task_id", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def _with_ids(ids: Sequence[str], query: Query) -> Query:
    conditions = [{"ids": {"values": list(ids)}}, *([dict(query)] if query else [])]
    return conditions[0] if len(conditions) == 1 else {"bool": {"filter": conditions}}
