"""The durations of batch predictions as their providers tell them, for `durations` with `jobs`."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw

from mltasks.engines import operations
from mltasks.engines.dataset import Tasks
from mltasks.exceptions import UsageError
from mltasks.tasks import derived, filters, outcomes, remote_job, schema
from mltasks.tasks.filters import Filters

ID = ("cluster", "task_id")
MOST = 200_000  # jobs that are read
SECONDS = "job_s"


def only_jobs(tasks: Tasks) -> Tasks:
    """Return the batch predictions, with `job_s` [s] where their provider tells start and end.

    Raises UsageError for more than 200,000 that have ended.
    """
    frame = tasks.frame.filter(derived.is_one_of("task_type", schema.POLLED))
    ended = frame.filter(~outcomes.has_outcome(schema.OPEN), ~nw.col("remote_job").is_null())
    if (n := int(operations.to_pandas(ended.select(n=nw.len()))["n"].item())) > MOST:
        raise UsageError(f"jobs: {n:,} batch predictions are more than {MOST:,}; choose some with since")
    columns = (*ID, "remote_job")
    rows = operations.to_pandas(
        ended.select(*(nw.col(name).cast(nw.String) for name in columns)), dict.fromkeys(columns, operations.TEXT)
    )
    rows = rows.dropna(subset="task_id").drop_duplicates([*ID], ignore_index=True)
    jobs = rows[[*ID]].assign(**{SECONDS: remote_job.job_columns(rows["remote_job"])["job_duration_s"]})
    chosen = filters.combine(tasks.filters, Filters(task_type=tuple(name.lower() for name in schema.POLLED)))
    return replace(tasks, frame=operations.left_join(frame, jobs, list(ID)), filters=chosen)
