"""Single tasks by id, from any source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.opensearch.access import Access, Query, open_cluster
from mltasks.sources import load


def get(source: Any, ids: str | Sequence[str], access: Access | None = None, *, refresh: bool = False) -> pd.DataFrame:
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

    Returns
    -------
    pandas.DataFrame
        The tasks in the order of `ids`, with the columns that `load` gives.

    Raises
    ------
    UsageError
        For ids that no task has, and for `refresh` of what is no cluster.
    ClusterError, DataError
        As `load` does.

    Examples
    --------
    >>> mltasks.get("demo", "-HCVD6IBiXUMJeGlHdJP")["state"].tolist()
    ['FAILED']
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
    if cluster is not None:
        access = replace(access, query=_with_ids(wanted, access.query))
    tasks = load.load(cluster or source, access)
    known = set(tasks["task_id"])
    if missing := [task_id for task_id in wanted if task_id not in known]:
        raise UsageError(f"{place}: there is no task {', '.join(missing)}; list them with mltasks list")
    order = {task_id: n for n, task_id in enumerate(wanted)}
    found = tasks[tasks["task_id"].isin(wanted)]
    return found.sort_values("task_id", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def _with_ids(ids: Sequence[str], query: Query) -> Query:
    conditions = [{"ids": {"values": list(ids)}}, *([dict(query)] if query else [])]
    return conditions[0] if len(conditions) == 1 else {"bool": {"filter": conditions}}
