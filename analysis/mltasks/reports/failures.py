"""How often tasks fail, with an interval, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, outcome_codes, report_info, totals
from mltasks.reports.declarations.failures import REPORT
from mltasks.reports.grouping import Grouped
from mltasks.reports.periods import Periods
from mltasks.tasks import derived, schema
from mltasks.tasks.filters import RateOptions

COLUMNS = REPORT.column_names
COUNTS = ("tasks", "completed", "partial", "failed", "cancelled", "open")
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
    """Return how often tasks fail, one row per group.

    Columns: the keys; tasks = completed + failed + cancelled + open, partial (completed with an error) being among
    the completed; failure_rate = failed / (completed + failed) with its Wilson 95 % interval failure_rate_low and
    _high (it takes tasks as independent: in a burst it is too narrow); last_success, the last_update_time of the
    newest completed task; failing_since, the create_time of the first failed task after it, missing if none.
    A rate over tasks is not one over requests: what is refused before a task is made leaves none.

    `every`, `tz`: one row per period of create_time. Filters select by create_time. Raises UsageError for a column,
    period, zone or time that cannot be, and for filters by state or outcome, which would change the rate.
    """
    periods = grouping.periods(every, tz)
    prepared = prepare.prepare(tasks, by, dict(options), as_of=as_of, taken=COLUMNS)
    report_info.reject_filters("failures", prepared)
    grouped, found, counts = _counted(prepared, periods)
    found = report_info.with_rates(report_info.whole_numbers(grouped.finish(found), COUNTS))
    for name in TIMES:
        found[name] = pd.to_datetime(found.pop(name), unit="ms", utc=True).dt.as_unit("ms")
    notes = [*report_info.RATE_NOTES, *(totals.undated_note(counts) if periods else [])]
    found = found[[*grouped.shown, *COLUMNS]]
    return report_info.attach_info(found, "failures", prepared, counts, notes, tz=tz, keys=grouped.shown)


def _counted(prepared: Tasks, periods: Periods | None) -> tuple[Grouped, pd.DataFrame, totals.Totals]:
    """Return the groups, the counts and times of each, and the census."""
    counts = outcome_codes.codes_by_name(*COUNTS[1:])
    values = {"last_success": ("success_ms", "max")}
    grouped, found, covered = totals.count_groups_and_totals(prepared, periods, _with_success, counts, values)
    found = found.merge(_failing(grouped, found), on=list(grouped.keys), how="left")
    return grouped, found[[*grouped.keys, *COUNTS, *TIMES]], covered  # what the census took may have the name of a key


def _with_success(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    updated = nw.col("updated_ms")
    succeeded = derived.has_outcome(*schema.COMPLETED) & derived.plausible(updated)
    return operations.when_then(frame.with_columns(kind=outcome_codes.outcome_code()), "success_ms", succeeded, updated)


def _failing(grouped: Grouped, found: pd.DataFrame) -> pd.DataFrame:
    """Return `failing_since` [ms] of each group that has failed after its last success."""
    keys, start, last = list(grouped.keys), nw.col("start_ms"), nw.col("last_success")
    failed = grouped.frame.filter(derived.has_outcome(schema.FAILED) & ~start.is_null()).select(*keys, "start_ms")
    failed = operations.left_join(failed, found[[*keys, "last_success"]], keys)
    failing = failed.filter(last.is_null() | (start > last))
    return operations.aggregate(failing, grouped.types, {"failing_since": ("start_ms", "min")})
