"""How often tasks fail, with an interval, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, outcome_codes, rate_doubts, report_info, totals
from mltasks.reports.declarations.failures import REPORT
from mltasks.reports.grouping import NODE, TaskGroups
from mltasks.reports.periods import Periods
from mltasks.tasks import derived, duration_status, outcomes, schema
from mltasks.tasks.filter_options import RateOptions

COLUMNS = REPORT.column_names
COUNTS = ("tasks", "completed", "partial", "failed", "cancelled", "open", "overdue")
TIMES = ("last_success", "failing_since")
RUN = REPORT.now_only


def failures(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Count how often tasks fail and since when, one row per group.

    failure_rate is failed / (completed + failed) with its Wilson 95 % interval, wider by `design_effect` where failures
    come in bursts. A rate over tasks is not one over requests: what is refused before a task is made leaves none.
    last_success, failing_since and failures_in_a_row are about now, and missing where `every` is given. Filters that
    would change the rate (state, outcome, error) are refused.

    Examples
    --------
    >>> table = mltasks.failures("demo", by="task_type")
    >>> table[["task_type", "tasks", "failed"]].values.tolist()[:2]
    [['AGENT_EXECUTION', 29, 9], ['BATCH_PREDICTION', 27, 0]]
    """
    periods = grouping.periods(every, tz)
    prepared = prepare.prepare(tasks, by, {**options, "tz": tz}, as_of=as_of, taken=COLUMNS)
    report_info.reject_filters("failures", prepared)
    grouped, table, counts = _count(prepared, periods)
    table = report_info.with_rates(report_info.whole_numbers(grouped.finish(table), (*COUNTS, "nameless")))
    run = table["failures_in_a_row"] if periods else table["failures_in_a_row"].fillna(0)
    table["failures_in_a_row"] = run.astype("Int64")
    for name in TIMES:
        table[name] = pd.to_datetime(table.pop(name), unit="ms", utc=True).dt.as_unit("ms")
    table, notes = rate_doubts.without_rates(table, prepared, table.index[table["nameless"] > 0])
    if periods:
        table, early = rate_doubts.without_unfinished(table, rate_doubts.RATES, "failure rate")
        notes = [*notes, *early, *totals.undated_note(counts)]
    table["design_effect"] = table["design_effect"].where(table["failure_rate"].notna())
    if NODE in prepared.keys:
        notes.append("a task with several nodes counts once on each of them")
    table = table[[*grouped.shown, *COLUMNS]]
    notes = [*report_info.RATE_NOTES, *notes]
    return report_info.attach_info(
        table, "failures", prepared, counts, notes, tz=tz, keys=grouped.shown, step=periods and periods.name
    )


def _count(prepared: Tasks, periods: Periods | None) -> tuple[TaskGroups, pd.DataFrame, totals.Totals]:
    """Return the groups, the counts and times of each, and the totals."""
    counts = outcome_codes.codes_by_name(*COUNTS[1:])
    values = {"success_start": ("success_ms", "max"), "nameless": ("nameless", "sum")}
    add = _add_columns
    if periods is None:
        add = _add_failure_times
        values |= {"first_failure": ("failure_ms", "min"), "dated_failures": ("failure_ms", "count")}
    grouped, table, covered = totals.count_groups_and_totals(prepared, periods, add, counts, values, has_rate=True)
    # since when a group fails is a question about now
    table = _with_runs(grouped, table) if periods is None else table.assign(**dict.fromkeys(RUN, float("nan")))
    # without what was counted for the totals: it may have the name of a key
    return grouped, table[[*grouped.keys, *COUNTS, "nameless", "design_effect", *RUN]], covered


def _add_columns(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the outcome code, the creation of what succeeded, and whether a task has a model only after it succeeded."""
    frame = frame.with_columns(
        kind=outcome_codes.outcome_code(),
        nameless=derived.is_one_of("task_type", rate_doubts.WITHOUT_MODEL).cast(nw.Int64),
    )
    start = nw.col("start_ms")
    return operations.when_then(frame, "success_ms", outcomes.has_outcome(*schema.COMPLETED), start)


def _add_failure_times(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the creation of what failed, too."""
    frame = _add_columns(frame)
    return operations.when_then(frame, "failure_ms", outcomes.has_outcome(schema.FAILED), nw.col("start_ms"))


def _with_runs(grouped: TaskGroups, table: pd.DataFrame) -> pd.DataFrame:
    """Add RUN to the groups; where none ever succeeded, all failures are the run."""
    last = table["success_start"]
    table = table.merge(_runs(grouped, table[last.notna()]), on=list(grouped.keys), how="left")
    all_failed = {"failures_in_a_row": "dated_failures", "failing_since": "first_failure"}
    return table.assign(
        **{run: table[run].where(last.notna().to_numpy(), table[name]) for run, name in all_failed.items()}
    )


def _runs(grouped: TaskGroups, table: pd.DataFrame) -> pd.DataFrame:
    """Return RUN of groups with a success: what has failed since the last one by creation, and when that one ended.

    The end of a batch prediction is moved by every look at it: its creation stands in. No end is later than as_of.
    """
    keys, start, last = list(grouped.keys), nw.col("start_ms"), nw.col("success_start")
    succeeded, failed = outcomes.has_outcome(*schema.COMPLETED), outcomes.has_outcome(schema.FAILED)
    earliest = int(table["success_start"].min()) if len(table) else 0  # no task before it matters
    frame = grouped.frame.filter((start >= earliest) & (succeeded | failed))
    frame = frame.select(
        *keys, "start_ms", "updated_ms", "as_of_ms", is_failed=failed, is_polled=duration_status.is_polled()
    )
    frame = operations.left_join(frame, table[[*keys, "success_start"]], keys)
    updated, as_of, is_failed = nw.col("updated_ms"), nw.col("as_of_ms"), nw.col("is_failed")
    frame = frame.filter((is_failed & (start > last)) | (~is_failed & (start == last)))
    end = nw.when(~nw.col("is_polled") & (updated > start)).then(updated).otherwise(start)
    frame = frame.with_columns(end=end).with_columns(
        failing_ms=nw.when(is_failed).then(start),
        ended_ms=nw.when(~is_failed).then(nw.when(nw.col("end") < as_of).then(nw.col("end")).otherwise(as_of)),
    )
    values = {
        "failures_in_a_row": ("failing_ms", "count"),
        "last_success": ("ended_ms", "max"),
        "failing_since": ("failing_ms", "min"),
    }
    return operations.aggregate(frame, grouped.types, values)
