"""How long tasks take: counts, mean and exact percentiles of the time from creation to completion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks import engines, filters, schema
from mltasks.filters import DurationOptions, Words
from mltasks.reports import grouping, result

QUANTILES = {"p50_s": 0.5, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99}
COUNTS = ("completed", "failed", "cancelled", "open")
COLUMNS = ("tasks", *COUNTS, "measured", "unmeasured", "mean_s", *QUANTILES, "max_s")


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
    words = [outcome] if isinstance(outcome, str) else list(outcome or ())
    measured = schema.OUTCOMES if "all" in words else filters.outcomes([word.lower() for word in words])
    prepared = engines.border(tasks, by, dict(options), as_of=as_of)
    grouped = grouping.group(prepared, every, tz)
    flags = {
        "completed": nw.col("outcome").is_in(schema.COMPLETED),
        **{name: nw.col("outcome") == name for name in COUNTS[1:]},
        "chosen": nw.col("outcome").is_in(measured),
    }
    seconds = nw.when(nw.col("outcome").is_in(measured)).then(nw.col("duration_s"))
    frame = grouped.frame.with_columns(**{n: f.cast(nw.Int64) for n, f in flags.items()}, seconds=seconds)
    d = nw.col("seconds")
    found = engines.to_pandas(
        frame.group_by(*grouped.keys).agg(
            nw.len().alias("tasks"),
            *(nw.col(name).sum() for name in flags),
            d.count().alias("measured"),
            d.mean().alias("mean_s"),
            *(d.quantile(q, "linear").alias(name) for name, q in QUANTILES.items()),
            d.max().alias("max_s"),
        )
    )
    found["unmeasured"] = found["chosen"] - found["measured"]
    found = result.whole_numbers(grouped.finish(found), ("tasks", *COUNTS, "measured", "unmeasured"))
    found = found[[*grouped.shown, *COLUMNS]]
    census = result.Census(prepared)
    return result.attach(found, "durations", prepared, census, _notes(census, measured), tz=tz, keys=grouped.shown)


def _notes(census: result.Census, measured: Sequence[str]) -> list[str]:
    found = []
    left_out = {
        status: census.number(outcome=tuple(measured), duration_status=status)
        for status in ("polled", "cut_off", "clock_skew", "implausible", "unreadable")
    }
    if any(left_out.values()):
        reasons = ", ".join(f"{n} {status}" for status, n in left_out.items() if n)
        found.append(f"not measured though finished: {reasons}")
    if set(measured) != set(schema.COMPLETED):
        found.append(f"durations of tasks with outcome {', '.join(measured)}")
    return found
