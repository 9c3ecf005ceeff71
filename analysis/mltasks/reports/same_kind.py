"""What open tasks are compared with: the completed ones of their kind, and the open ones ahead of them."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.dataset import Tasks
from mltasks.tasks import duration_status, outcomes, schema

KIND = ("task_type", "function_name")
FEWEST = 100  # completed tasks that a p99 needs


def compare(rows: pd.DataFrame, tasks: Tasks) -> dict[str, Any]:
    """Return of each open task how many of its kind completed, how many of them took as long, and their p99 [s]."""
    result = pd.DataFrame({"completed": 0, "longer": 0, "p99_s": np.nan}, index=rows.index)
    age_ms = rows["as_of_ms"] - rows["start_ms"]
    lasted = {_kind(key): part for key, part in _durations(rows, tasks).groupby(list(KIND), dropna=False)}
    for key, part in rows[rows["start_ms"].notna()].groupby(list(KIND), dropna=False):
        if (completed := lasted.get(_kind(key))) is None:
            continue
        completed = completed.sort_values("lasted_ms")
        counts = completed["tasks"].to_numpy("int64")
        at_least = np.append(counts[::-1].cumsum()[::-1], 0)
        result.loc[part.index, "completed"] = int(counts.sum())
        place = np.searchsorted(completed["lasted_ms"].to_numpy(), age_ms[part.index].to_numpy("float64"), side="left")
        result.loc[part.index, "longer"] = at_least[place]
        if counts.sum() >= FEWEST:
            seconds = np.repeat(completed["lasted_ms"].to_numpy("float64"), counts) / 1000
            result.loc[part.index, "p99_s"] = float(np.quantile(seconds, 0.99))
    return {str(name): column for name, column in result.items()}


def _kind(key: Any) -> tuple[str | None, ...]:
    return tuple(value if isinstance(value, str) else None for value in key)


def _durations(rows: pd.DataFrame, tasks: Tasks) -> pd.DataFrame:
    """Return how many completed tasks of the kinds of some open ones took how long [ms]."""
    kinds = rows[list(KIND)].drop_duplicates().assign(is_open=1)
    frame = tasks.frame.filter(outcomes.has_outcome(*schema.COMPLETED) & duration_status.has_status("measured"))
    frame = frame.select(
        *(nw.col(name).cast(nw.String) for name in KIND), lasted_ms=nw.col("updated_ms") - nw.col("created_ms")
    )
    frame = operations.left_join(frame, kinds, list(KIND)).filter(~nw.col("is_open").is_null())
    types = {**dict.fromkeys(KIND, operations.TEXT), "lasted_ms": "int64"}
    return operations.aggregate(frame, types, {"tasks": ("", "len")})


def count_ahead(rows: pd.DataFrame) -> pd.Series[int]:
    """Return of each open training how many on its node were created before it."""
    once = rows[rows["task_type"] == "TRAINING"].drop_duplicates(["cluster", "task_id", "nodes_text"])
    order = once.sort_values(["start_ms", "task_id"]).groupby(["cluster", "nodes_text"], dropna=False).cumcount()
    return order.reindex(rows.index, fill_value=0)
