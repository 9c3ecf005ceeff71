"""The duration of each measured task, for figures of few of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.reports import durations, grouping
from mltasks.tasks import derived, duration_status, outcomes, schema


def list_durations(tasks: Any, by: str | Sequence[str], *, as_of: Any = None, **options: Any) -> pd.DataFrame:
    """Return the keys and duration_s [s] of the completed tasks that `durations` measures, a node key once a node."""
    prepared = prepare.prepare(tasks, by, options, as_of=as_of, taken=durations.COLUMNS, wanted=["status_code"])
    grouped = grouping.group(prepared)
    is_measured = outcomes.has_outcome(*schema.COMPLETED) & duration_status.has_status("measured")
    frame = grouped.frame.filter(is_measured).with_columns(seconds=derived.seconds().cast(nw.Float64))
    rows = operations.to_pandas(frame.select(*grouped.keys, "seconds"), grouped.types)
    rows = rows.rename(columns=dict(zip(grouped.keys, grouped.shown, strict=False)))
    return rows.rename(columns={"seconds": "duration_s"})
