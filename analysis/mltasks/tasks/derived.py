"""What follows from a task's stored columns, as narwhals expressions: outcome, duration, when it was in flight.

One definition for every engine. Every reader computes them anew; a file's own copy is never trusted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import narwhals as nw

from mltasks.tasks import conditions, schema
from mltasks.tasks.conditions import Conditions, Frame, any_of
from mltasks.tasks.duration_status import ORDINARY, STATUS, TYPES, duration_status, has_status, statuses
from mltasks.tasks.metadata import Context
from mltasks.tasks.outcomes import CODES_OF_STATES, UNKNOWN, has_outcome, outcome

DURATIONS = ("status_code", "duration_s", "duration_status")
CODES = ("outcome_code", "type_code", "status_code")


def derive(
    frame: Frame, wanted: Collection[str] = ("outcome", *DURATIONS, "end_ms"), choose: Conditions = conditions
) -> Frame:
    """Add `start_ms` (create_time where it is plausible), the CODES, and what is wanted.

    `frame` has the stored columns and, as integers, `created_ms`, `updated_ms`, `as_of_ms` and `timeout_ms`.
    `outcome_code`: the place in schema.OUTCOMES, or UNKNOWN. `status_code`: the place in STATUSES; only where it, or a
    duration, is wanted does it tell `polled`, `cut_off` and `clock_skew` from `measured`. `wanted`: `outcome`,
    `duration_status`, `duration_s` [s], `status_code`, and `end_ms`, the end of the task's time in flight; null where
    nobody knows it. `choose`: an engine's own way with conditions.
    """
    durations = not set(DURATIONS).isdisjoint(wanted)
    frame = choose.map_values(frame, "outcome_code", "state", CODES_OF_STATES, UNKNOWN)
    frame = choose.map_values(frame, "type_code", "task_type", TYPES, ORDINARY)
    created, updated = nw.col("created_ms"), nw.col("updated_ms")
    frame = choose.when_then(frame, "start_ms", plausible(created), created)
    frame = choose.case_when(frame, "status_code", statuses(durations), STATUS["measured"])
    if "end_ms" in wanted:
        overdue_since = nw.col("start_ms") + nw.col("timeout_ms")
        open_until = nw.when(has_status("overdue")).then(overdue_since).otherwise(nw.col("as_of_ms"))
        frame = frame.with_columns(end_ms=nw.when(has_outcome(schema.OPEN)).then(open_until).otherwise(updated))
    if "duration_s" in wanted:
        frame = choose.when_then(frame, "duration_s", has_status("measured"), seconds())
    texts = {"outcome": outcome(), "duration_status": duration_status()}
    texts = {name: text for name, text in texts.items() if name in wanted}
    return frame.with_columns(**texts) if texts else frame


def seconds() -> nw.Expr:
    """Return the time [s] from creation to the last update."""
    return (nw.col("updated_ms") - nw.col("created_ms")) / 1000


def clock(ctx: Context) -> dict[str, nw.Expr]:
    """Return `as_of_ms` and `timeout_ms` as expressions: those of the row's cluster, where there are several.

    Where no time is known, as_of_ms is 0: no time is plausible then.
    """
    latest = ctx.latest()
    return {
        "as_of_ms": _of_cluster({cluster: reading.as_of_ms or 0 for cluster, reading in latest.items()}),
        "timeout_ms": _of_cluster({cluster: reading.timeout_s * 1000 for cluster, reading in latest.items()}),
    }


def last_known_ms() -> nw.Expr:
    """Return `as_of_ms`, or the time when a task was found gone: since then nobody knows more of it."""
    as_of, gone = nw.col("as_of_ms"), nw.col("gone_ms")
    return nw.when(gone < as_of).then(gone).otherwise(as_of)


def plausible(time: nw.Expr) -> nw.Expr:
    """Tell which times [ms] can be those of a task: not before OpenSearch, no more than a day after as_of."""
    return (time >= schema.EARLIEST_MS) & (time <= nw.col("as_of_ms") + schema.DAY_MS)


def _of_cluster(values: Mapping[str | None, int]) -> nw.Expr:
    others = values[None] if None in values else next(iter(values.values()))
    expression: nw.Expr = nw.lit(others, dtype=nw.Int64)
    for cluster, value in values.items():
        if cluster is not None and value != others:
            own = nw.lit(value, dtype=nw.Int64)
            expression = nw.when(nw.col("cluster") == cluster).then(own).otherwise(expression)
    return expression


def is_one_of(column: str, values: Iterable[str]) -> nw.Expr:
    """Tell which texts of a column are among some values; a missing one is not."""
    # comparisons one by one: of categories, pandas compares the codes
    return any_of(nw.col(column) == value for value in values).fill_null(value=False)
