"""A batch prediction's job as its provider tells of it: status, start and end, whatever the provider calls them.

The task's own times do not tell: every look at it moves last_update_time. The shapes: SageMaker DescribeTransformJob
(seconds), Bedrock GetModelInvocationJob (texts, no start but its submission), OpenAI and Azure OpenAI batches
(seconds), Cohere embed jobs (a text, and no end).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from mltasks.tasks import arrow_schema, json_values, schema, table

COLUMNS = schema.JOB_COLUMNS
STATUSES = ("TransformJobStatus", "status", "Status", "state")
STARTS = (  # the first that is there: when it began to run, else when it was accepted
    *("TransformStartTime", "startTime", "in_progress_at", "StartTime", "started_at"),
    *("CreationTime", "submitTime", "created_at", "createdAt"),
)
ENDS = (
    *("TransformEndTime", "endTime", "completed_at", "failed_at", "expired_at", "cancelled_at", "EndTime", "ended_at"),
)
LATEST_MS = 253_402_300_799_999  # the end of the year 9999
MS_FROM = 100_000_000_000  # a number beyond is no time in seconds: that would be the year 5138


class RemoteJob(NamedTuple):
    """What a provider tells of a job; times in ms since 1970, UTC; None where it does not tell."""

    status: str | None
    start_ms: int | None
    end_ms: int | None


def read_job(text: str | None) -> RemoteJob:
    """Return what a document's `remote_job` tells."""
    fields = json_values.parse_object(text)
    status = next((value for name in STATUSES if isinstance(value := fields.get(name), str)), None)
    return RemoteJob(status, _first_time(fields, STARTS), _first_time(fields, ENDS))


def job_columns(texts: Iterable[Any]) -> pd.DataFrame:
    """Return COLUMNS of the values of the column `remote_job`: times in UTC, the duration [s] from start to end."""
    jobs = [read_job(text if isinstance(text, str) else None) for text in texts]
    starts, ends = (pd.Series([job[place] for job in jobs], dtype="Int64") for place in (1, 2))
    lasted = (ends - starts).astype("float64") / 1000
    return pd.DataFrame(
        {
            "job_status": pd.Series([job.status for job in jobs], dtype=table.PANDAS_TYPES[arrow_schema.ARROW["text"]]),
            "job_start": pd.to_datetime(starts, unit="ms", utc=True).dt.as_unit("ms"),
            "job_end": pd.to_datetime(ends, unit="ms", utc=True).dt.as_unit("ms"),
            "job_duration_s": lasted.where(lasted >= 0),
        }
    )


def _first_time(fields: Mapping[str, Any], names: Iterable[str]) -> int | None:
    times = (_time(fields.get(name)) for name in names)
    return next((ms for ms in times if ms is not None), None)


def _time(value: Any) -> int | None:
    """Return a time in ms: a number of seconds or milliseconds, or a text as in ISO 8601."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
            ms = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LATEST_MS:
        ms = round(value if value >= MS_FROM else value * 1000)
    else:
        return None
    return ms if schema.EARLIEST_MS <= ms <= LATEST_MS else None
