"""How often tasks fail, with an interval, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks import engines, schema
from mltasks.filters import RateOptions
from mltasks.reports import grouping, result
from mltasks.reports.statistics import wilson

COUNTS = ("completed", "partial", "failed", "cancelled", "open")
TIMES = ("last_success", "failing_since")


def failures(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Return how often tasks fail, a row a group.

    Columns: the keys; tasks = completed + failed + cancelled + open, partial (completed with an error) being among
    the completed; failure_rate = failed / (completed + failed) with its Wilson 95 % interval failure_rate_low and
    _high (it takes tasks as independent: in a burst it is too narrow); last_success, the last_update_time of the
    newest completed task; failing_since, the create_time of the first failed task after it, missing if none.
    A rate over tasks is not one over requests: what is refused before a task is made leaves none.

    `every`, `tz`: a row a period of create_time. Filters select by create_time. Raises UsageError for a column,
    period, zone or time that cannot be, and for filters by state or outcome, which would change the rate.
    """
    prepared = engines.border(tasks, by, dict(options), as_of=as_of)
    result.refuse_outcomes("failures", prepared)
    grouped = grouping.group(prepared, every, tz)
    outcome = nw.col("outcome")
    flags = {"completed": outcome.is_in(schema.COMPLETED), **{name: outcome == name for name in COUNTS[1:]}}
    frame = grouped.frame.with_columns(
        **{name: flag.cast(nw.Int64) for name, flag in flags.items()},
        success_ms=nw.when(outcome.is_in(schema.COMPLETED)).then(nw.col("updated_ms")),
    )
    frame = frame.with_columns(last_success=nw.col("success_ms").max().over(*grouped.keys))
    after = nw.col("last_success").is_null() | (nw.col("start_ms") > nw.col("last_success"))
    frame = frame.with_columns(failing_ms=nw.when((outcome == schema.FAILED) & after).then(nw.col("start_ms")))
    found = engines.to_pandas(
        frame.group_by(*grouped.keys).agg(
            nw.len().alias("tasks"),
            *(nw.col(name).sum() for name in flags),
            last_success=nw.col("success_ms").max(),
            failing_since=nw.col("failing_ms").min(),
        )
    )
    found = result.whole_numbers(grouped.finish(found), ("tasks", *COUNTS))
    rates = wilson(found["failed"], found["completed"] + found["failed"])
    for name, rate in zip(("failure_rate", "failure_rate_low", "failure_rate_high"), rates, strict=True):
        found[name] = rate
    for name in TIMES:
        found[name] = pd.to_datetime(found.pop(name), unit="ms", utc=True).dt.as_unit("ms")
    census = result.Census(prepared)
    return result.attach(found, "failures", prepared, census, result.RATE_NOTES, tz=tz, keys=grouped.shown)
