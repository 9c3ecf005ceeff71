"""How long tasks take: counts, mean and exact percentiles of the time from creation to completion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import grouping, job_durations, outcome_codes, rate_doubts, report_info, totals, training_waits
from mltasks.reports.declarations.durations import REPORT, parse_outcomes
from mltasks.reports.grouping import NODE, TaskGroups
from mltasks.reports.periods import Periods
from mltasks.tasks import derived, duration_status, outcomes, schema
from mltasks.tasks.filter_options import DurationOptions, Words

QUANTILES = {
    "p50_s": ("seconds", 0.5),
    "p90_s": ("seconds", 0.9),
    "p95_s": ("seconds", 0.95),
    "p99_s": ("seconds", 0.99),
}
FEWEST = {0.9: 10, 0.95: 20, 0.99: 100}  # measured tasks that a percentile needs: 1 / (1 - rank)
SECONDS = {"measured": ("seconds", "count"), "mean_s": ("seconds", "mean"), "max_s": ("seconds", "max")}
ENDS = {"completed": schema.COMPLETED, "failed": (schema.FAILED,), "cancelled": (schema.CANCELLED,)}
COUNTS = ("tasks", *ENDS, "open")
UNMEASURED = ("polled", "cut_off", "clock_skew", "implausible", "unreadable")
COLUMNS = REPORT.column_names


def durations(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    outcome: Words = "completed",
    jobs: bool = False,
    as_of: Any = None,
    **options: Unpack[DurationOptions],
) -> pd.DataFrame:
    """Measure how long tasks take, one row per group.

    A duration is last_update_time - create_time, queue included; a deployment takes as long as its slowest node. Not
    measured: open tasks, batch predictions (every look at one moves its time), tasks ended by the cluster's time-out,
    and times that cannot be right.

    Percentiles are exact, linear between ranks (Hyndman & Fan 1996, type 7), and missing where fewer than 10, 20 or 100
    tasks were measured for p90, p95, p99. measured + unmeasured = completed.

    A training waits for a thread of its node: the pool takes trainings in the order of creation (J. Kiefer and J.
    Wolfowitz, Transactions of the AMS 78 (1955) 1-18). wait_s, run_s and wait_share are of trainings, and missing where
    the size of the pool was not read.

    Parameters
    ----------
    outcome : str or list of str
        Whose durations: completed, failed, partial, cancelled, or ``"all"`` finished tasks. The counts stay those of
        all tasks.
    jobs : bool
        Of batch predictions only, and from start to end as their providers tell it; the tasks' own times tell nothing.

    Examples
    --------
    >>> table = mltasks.durations("demo", by="task_type", task_type="TRAINING")
    >>> table[["measured", "p50_s"]].values.tolist()
    [[226.0, 0.324]]
    """
    measured = parse_outcomes(outcome)
    periods = grouping.periods(every, tz)
    wanted = ["status_code", *training_waits.ID, *(["remote_job"] if jobs else [])]
    prepared = prepare.prepare(tasks, by, {**options, "tz": tz}, as_of=as_of, taken=COLUMNS, wanted=wanted)
    prepared = job_durations.only_jobs(prepared) if jobs else prepared
    grouped, table, counts = _count(prepared, periods, measured, jobs=jobs)
    table, doubts = training_waits.with_waits(table, grouped, tasks, prepared, as_of)
    table = report_info.whole_numbers(grouped.finish(table), (*COUNTS, "measured", "unmeasured"))
    for name, (_, rank) in QUANTILES.items():  # of fewer tasks the quantile would only be the longest
        table[name] = table[name].where(table["measured"] >= FEWEST.get(rank, 1))
    notes = [*_notes(counts, measured), *doubts]
    if periods:
        table, early = rate_doubts.without_unfinished(table, [*QUANTILES, *training_waits.COLUMNS], "percentiles")
        notes = [*notes, *early, *totals.undated_note(counts)]
    if NODE in prepared.keys:
        notes.append("a task with several nodes counts once on each of them")
    table = table[[*grouped.shown, *COLUMNS]]
    return report_info.attach_info(
        table, "durations", prepared, counts, notes, tz=tz, keys=grouped.shown, step=periods and periods.name
    )


def _count(
    prepared: Tasks, periods: Periods | None, measured: Sequence[str], *, jobs: bool
) -> tuple[TaskGroups, pd.DataFrame, totals.Totals]:
    """Return the groups, the statistics of each, and the census.

    What is measured becomes one kind, since the percentiles of two cannot be put together. Where that hides how the
    tasks ended, these are summed beside.
    """
    ends = {name: (f"is_{name}", "sum") for name in ENDS} if len({_end(outcome) for outcome in measured}) > 1 else {}
    (one,) = outcome_codes.codes_of(measured[:1], ["measured"])
    seconds = nw.col(job_durations.SECONDS) if jobs else derived.seconds()
    is_known = ~seconds.is_null() if jobs else duration_status.has_status("measured")
    is_measured = outcomes.has_outcome(*measured) & is_known

    def add(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        flags = {column: outcomes.has_outcome(*ENDS[name]) for name, (column, _) in ends.items()}
        flags[training_waits.TRAININGS] = is_measured & training_waits.is_training()
        frame = frame.with_columns(kind=outcome_codes.outcome_code(), **flags)
        frame = operations.case_when(frame, "kind", {one: is_measured}, nw.col("kind"))
        return operations.when_then(frame, "seconds", is_measured, seconds)

    trainings = {training_waits.TRAININGS: (training_waits.TRAININGS, "sum")}
    counts = {"chosen": outcome_codes.codes_of(measured)} | outcome_codes.codes_by_name(
        *(name for name in COUNTS[1:] if name not in ends)
    )
    doubts = {f"chosen_{name}": outcome_codes.codes_of(measured, [name]) for name in UNMEASURED}
    grouped, table, covered = totals.count_groups_and_totals(
        prepared, periods, add, counts, {**SECONDS, **ends, **trainings}, doubts, quantiles=QUANTILES
    )
    table = table.assign(unmeasured=table["chosen"] - table["measured"])
    names = [name for name in COLUMNS if name not in training_waits.COLUMNS]
    names.append(training_waits.TRAININGS)
    return grouped, table[[*grouped.keys, *names]], covered  # what the census took may have the name of a key


def _end(outcome: str) -> str:
    """Return the count that an outcome is part of."""
    return next(name for name, outcomes in ENDS.items() if outcome in outcomes)


def _notes(counts: totals.Totals, measured: Sequence[str]) -> list[str]:
    notes = []
    left_out = {status: n for status in UNMEASURED if (n := counts.counts[f"chosen_{status}"])}
    if left_out:
        reasons = ", ".join(f"{n} {status}" for status, n in left_out.items())
        notes.append(f"not measured though finished: {reasons}")
    if set(measured) != set(schema.COMPLETED):
        notes.append(f"durations of tasks with outcome {', '.join(measured)}")
    return notes
