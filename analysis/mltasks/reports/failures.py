"""How often tasks fail, with an interval, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks import derived, engines
from mltasks.filters import RateOptions
from mltasks.reports import grouping, result
from mltasks.reports.grouping import Grouped

COUNTS = ("tasks", "completed", "partial", "failed", "cancelled", "open")
TIMES = ("last_success", "failing_since")
COLUMNS = (*COUNTS, "failure_rate", "failure_rate_low", "failure_rate_high", *TIMES)


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
    periods = grouping.periods(every, tz)
    prepared = engines.border(tasks, by, dict(options), as_of=as_of, taken=COLUMNS)
    result.refuse_outcomes("failures", prepared)
    census = result.Census(prepared)
    grouped = grouping.by_creation(grouping.group(prepared), periods, census.first_ms, census.last_ms)
    found = result.with_rates(result.whole_numbers(grouped.finish(_counts(grouped)), COUNTS))
    for name in TIMES:
        found[name] = pd.to_datetime(found.pop(name), unit="ms", utc=True).dt.as_unit("ms")
    notes = [*result.RATE_NOTES, *(result.undated(census) if periods else [])]
    found = found[[*grouped.shown, *COLUMNS]]
    return result.attach(found, "failures", prepared, census, notes, tz=tz, keys=grouped.shown)


def _counts(grouped: Grouped) -> pd.DataFrame:
    start, newest = nw.col("start_ms"), nw.col("newest_ms")
    success = nw.when(nw.col("completed")).then(derived.plausible("updated_ms"))
    frame = grouped.frame.select(*grouped.keys, *COUNTS[1:], "start_ms", success_ms=success)
    frame = engines.with_newest(frame, grouped.keys, "success_ms", "newest_ms")
    frame = frame.with_columns(failing_ms=nw.when(nw.col("failed") & (newest.is_null() | (start > newest))).then(start))
    return grouped.within(frame).aggregate(
        nw.len().alias("tasks"),
        *(nw.col(name).sum() for name in COUNTS[1:]),
        nw.col("success_ms").max().alias("last_success"),
        nw.col("failing_ms").min().alias("failing_since"),
    )
