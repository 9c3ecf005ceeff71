"""The tasks themselves, as a report: filtered, sorted, columns chosen."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mltasks.reports import report_info, totals
from mltasks.tasks import metadata, remote_job, schema
from mltasks.tasks.column_names import unknown_column
from mltasks.tasks.metadata import Context

COLUMNS = (
    *("task_id", "task_type", "function_name", "state", "outcome", "create_time", "duration_s", "duration_status"),
    *("worker_node", "model_id", "reason"),
)
NARROW = ("task_id", "task_type", "function_name", "state", "create_time", "duration_s")  # shown in 80 columns


def task_list(tasks: pd.DataFrame, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return the chosen columns of tasks as `load` gives them, newest first; raises UsageError for unknown ones.

    Beside the columns of the task table there are those of `remote_job.COLUMNS`: a batch prediction's own times.
    """
    if set(columns) & set(remote_job.COLUMNS):
        attributes = tasks.attrs
        jobs = remote_job.job_columns(tasks["remote_job"])
        tasks = tasks.assign(**{name: jobs[name].set_axis(tasks.index) for name in remote_job.COLUMNS})
        tasks.attrs = attributes
    for name in columns:
        if name not in tasks.columns:
            raise unknown_column("columns", name, [*tasks.columns, *remote_job.COLUMNS])
    ctx = metadata.read_attrs(tasks.attrs) or Context(source="a DataFrame")
    ordered = tasks.sort_values("create_time", ascending=False, kind="stable", ignore_index=True)
    created = ordered["create_time"].dropna().astype("int64")
    plausible = created[created.between(schema.EARLIEST_MS, (ctx.as_of_ms or 0) + schema.DAY_MS)]
    return report_info.with_info(
        ordered[list(columns)].copy(),
        report_info.ReportInfo(
            report="list",
            as_of_ms=ctx.as_of_ms,
            as_of_assumed=any(reading.as_of_assumed for reading in ctx.readings),
            sources=report_info.source_names(ctx, ctx.filters),
            filters=ctx.filters,
            tasks=len(ordered),
            first_ms=totals.whole_number(plausible.min()),
            last_ms=totals.whole_number(plausible.max()),
            notes=[*ctx.notes, *report_info.empty_notes(ctx.filters, ctx, len(ordered))],
        ),
    )
