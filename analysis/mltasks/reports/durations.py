"""How long tasks take: counts, mean and exact percentiles of the time from creation to completion."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks import engines, filters, schema
from mltasks.engines import Tasks
from mltasks.errors import UsageError
from mltasks.filters import DurationOptions, Words
from mltasks.reports import census, grouping, result
from mltasks.reports.grouping import Grouped
from mltasks.reports.periods import Periods

QUANTILES = {
    "p50_s": ("seconds", 0.5),
    "p90_s": ("seconds", 0.9),
    "p95_s": ("seconds", 0.95),
    "p99_s": ("seconds", 0.99),
}
SECONDS = {"measured": ("seconds", "count"), "mean_s": ("seconds", "mean"), "max_s": ("seconds", "max")}
COUNTS = ("tasks", "completed", "failed", "cancelled", "open")
FINISHED = tuple(outcome for outcome in schema.OUTCOMES if outcome != schema.OPEN)
UNMEASURED = ("polled", "cut_off", "clock_skew", "implausible", "unreadable")
COLUMNS = (*COUNTS, "measured", "unmeasured", "mean_s", *QUANTILES, "max_s")


def durations(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    outcome: Words = "completed",
    as_of: Any = None,
    **options: Unpack[DurationOptions],
) -> pd.DataFrame:
    """Return how long tasks took, a row a group.

    Columns: the keys; tasks = completed + failed + cancelled + open; measured and unmeasured, which add up to
    completed; mean_s, p50_s, p90_s, p95_s, p99_s, max_s [s]: last_update_time - create_time, queue included.
    Percentiles are exact, linear between ranks (Hyndman & Fan 1996, type 7). A deployment takes as long as its
    slowest node. Not measured: open tasks, batch predictions (every look at one moves its time), tasks ended by
    the cluster's time-out, and times that cannot be right.

    `outcome`: whose durations, `completed` unless said otherwise; "all" takes every finished task. The counts
    stay those of all tasks. `every`, `tz`: a row a period of create_time. Filters select by create_time.
    Raises UsageError for a column, period, zone, time or outcome that cannot be.
    """
    measured = _measured(outcome)
    periods = grouping.periods(every, tz)
    prepared = engines.border(tasks, by, dict(options), as_of=as_of, taken=COLUMNS)
    grouped, found, counts = _counted(prepared, periods, _chosen(measured))
    found = result.whole_numbers(grouped.finish(found), (*COUNTS, "measured", "unmeasured"))
    notes = [*_notes(counts, measured), *(census.undated(counts) if periods else [])]
    found = found[[*grouped.shown, *COLUMNS]]
    return result.attach(found, "durations", prepared, counts, notes, tz=tz, keys=grouped.shown)


def _measured(outcome: Words) -> tuple[str, ...]:
    """Return the outcomes whose durations are asked for."""
    words = [word.lower() for word in ([outcome] if isinstance(outcome, str) else outcome or ["completed"])]
    if "all" in words:
        return FINISHED
    found = filters.outcomes(words)
    if schema.OPEN in found:
        raise UsageError(f"outcome: an open task has no duration yet; there are {', '.join(FINISHED)}, completed, all")
    return found


def _counted(prepared: Tasks, periods: Periods | None, chosen: nw.Expr) -> tuple[Grouped, pd.DataFrame, census.Census]:
    """Return the groups, the statistics of each, and the census."""
    doubts = {f"chosen_{name}": chosen & nw.col(name) for name in UNMEASURED}
    marked = {"chosen": chosen, "seconds": nw.when(chosen).then(nw.col("duration_s")), **doubts}
    grouped, found, counts = census.counted(
        prepared, periods, marked, (*COUNTS[1:], "chosen"), SECONDS, list(doubts), quantiles=QUANTILES
    )
    found = found.assign(unmeasured=found["chosen"] - found["measured"])
    return grouped, found[[*grouped.keys, *COLUMNS]], counts  # what the census took may have the name of a key


def _chosen(measured: Sequence[str]) -> nw.Expr:
    """Tell which tasks have an outcome whose durations are asked for."""
    return functools.reduce(operator.or_, (nw.col(outcome) for outcome in measured))


def _notes(counts: census.Census, measured: Sequence[str]) -> list[str]:
    found = []
    left_out = {status: n for status in UNMEASURED if (n := counts.flagged[f"chosen_{status}"])}
    if left_out:
        reasons = ", ".join(f"{n} {status}" for status, n in left_out.items())
        found.append(f"not measured though finished: {reasons}")
    if set(measured) != set(schema.COMPLETED):
        found.append(f"durations of tasks with outcome {', '.join(measured)}")
    return found
