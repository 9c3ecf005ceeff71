"""The tasks themselves, as a report: filtered, sorted, columns chosen."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.reports import report_info as result
from mltasks.reports import totals as census
from mltasks.tasks import metadata as context
from mltasks.tasks import schema
from mltasks.tasks.metadata import Context

COLUMNS = (
    *("task_id", "task_type", "function_name", "state", "outcome", "create_time", "duration_s", "duration_status"),
    *("worker_node", "model_id", "reason"),
)


def listing(tasks: pd.DataFrame, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return the chosen columns of tasks as `load` gives them, newest first; raises UsageError for unknown ones."""
    for name in columns:
        if name not in tasks.columns:
            near = difflib.get_close_matches(name, list(tasks.columns), 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(tasks.columns)}"
            raise UsageError(f"columns: there is no column {name!r}; {hint}")
    ctx = context.of(tasks.attrs) or Context(source="a DataFrame")
    found = tasks.sort_values("create_time", ascending=False, kind="stable", ignore_index=True)
    created = found["create_time"].dropna().astype("int64")
    plausible = created[created.between(schema.EARLIEST_MS, (ctx.as_of_ms or 0) + schema.DAY_MS)]
    return result.stamped(
        found[list(columns)].copy(),
        result.Info(
            report="list",
            as_of_ms=ctx.as_of_ms,
            as_of_assumed=any(reading.as_of_assumed for reading in ctx.readings),
            sources=result.sources(ctx),
            filters=ctx.filters,
            tasks=len(found),
            first_ms=census.whole(plausible.min()),
            last_ms=census.whole(plausible.max()),
            notes=list(ctx.notes),
        ),
    )
