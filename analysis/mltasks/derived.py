"""What follows from a task's stored columns, as narwhals expressions: outcome, duration, when it was in flight.

One definition for every engine. Every reader computes them anew; a file's own copy is never trusted.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

import narwhals as nw

from mltasks import schema
from mltasks.context import Context, Reading

CUT_OFF = r"^timeout after [0-9]+ seconds$"
TEXTS = {  # the derived columns that name which of some flags is set
    "outcome": schema.OUTCOMES,
    "duration_status": ("measured", "open", "cut_off", "polled", "clock_skew", "implausible", "unreadable"),
}
OUTCOMES = ("completed", "overdue", "unknown", *TEXTS["outcome"], "unreadable", "implausible")
FLAGS = tuple(dict.fromkeys([*OUTCOMES, *TEXTS["duration_status"]]))
Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


def derive(frame: Frame, texts: Collection[str] = tuple(TEXTS), *, durations: bool = True) -> Frame:
    """Add outcome, duration_s [s] and duration_status, and what the reports compute with.

    `frame` has the stored columns and, as integers, `created_ms`, `updated_ms`, `as_of_ms` and `timeout_ms`.
    Added beside the derived columns: `start_ms` (create_time where it is plausible), `end_ms` (the end of the
    task's time in flight; null where nobody knows it) and FLAGS: each outcome and each duration_status, `completed`,
    `overdue` and `unknown` (the state), never null. `texts`: which of TEXTS are wanted; flags cost less. Without
    `durations` there are only the flags OUTCOMES.
    """
    frame = frame.with_columns(**_outcomes(), start_ms=plausible("created_ms"))
    frame = frame.with_columns(
        completed=nw.col(schema.SUCCEEDED) | nw.col(schema.PARTIAL),
        open=~_all_but_open(),  # an unknown state, too, is open until somebody knows better
    )
    frame = frame.with_columns(unknown=nw.col("open") & ~is_one_of("state", schema.states_of(schema.OPEN)))
    doubts = {name: doubt for name, doubt in _doubts().items() if durations or name in OUTCOMES}
    frame = frame.with_columns(overdue=_overdue(), **doubts)
    frame = frame.with_columns(
        **_first_doubt(doubts),
        end_ms=nw.when(~nw.col("open"))
        .then(nw.col("updated_ms"))
        .otherwise(nw.when(~nw.col("overdue")).then(nw.col("as_of_ms"))),
    )
    more = {name: named(name) for name in texts}
    if durations:
        more["duration_s"] = nw.when(nw.col("measured")).then((nw.col("updated_ms") - nw.col("created_ms")) / 1000)
    return frame.with_columns(**more) if more else frame


def named(text: str) -> nw.Expr:
    """Return one of TEXTS: the name of the flag that is set."""
    *names, last = TEXTS[text]
    expression: nw.Expr = nw.lit(last)
    for name in names:
        expression = nw.when(nw.col(name)).then(nw.lit(name)).otherwise(expression)
    return expression


def clock(ctx: Context) -> dict[str, nw.Expr]:
    """Return `as_of_ms` and `timeout_ms` as expressions: those of the row's cluster, where there are several.

    A cluster that was read twice is as it was at the later time. Where no time is known, as_of_ms is 0: no time is
    plausible then.
    """
    latest: dict[str | None, Reading] = {}
    for reading in ctx.readings or (Reading(),):
        before = latest.get(reading.cluster)
        if before is None or (reading.as_of_ms or 0) >= (before.as_of_ms or 0):
            latest[reading.cluster] = reading
    return {
        "as_of_ms": _of_cluster({cluster: reading.as_of_ms or 0 for cluster, reading in latest.items()}),
        "timeout_ms": _of_cluster({cluster: reading.timeout_s * 1000 for cluster, reading in latest.items()}),
    }


def known_until() -> nw.Expr:
    """Return `as_of_ms`, or the time when a task was found gone: since then nobody knows more of it."""
    as_of, gone = nw.col("as_of_ms"), nw.col("gone_ms")
    return nw.when(gone < as_of).then(gone).otherwise(as_of)


def plausible(column: str) -> nw.Expr:
    """Return a time [ms] where it can be one of a task: not before OpenSearch, no more than a day after as_of."""
    time = nw.col(column)
    return nw.when((time >= schema.EARLIEST_MS) & (time <= nw.col("as_of_ms") + schema.DAY_MS)).then(time)


def _of_cluster(values: Mapping[str | None, int]) -> nw.Expr:
    others = values[None] if None in values else next(iter(values.values()))
    expression: nw.Expr = nw.lit(others, dtype=nw.Int64)
    for cluster, value in values.items():
        if cluster is not None and value != others:
            own = nw.lit(value, dtype=nw.Int64)
            expression = nw.when(nw.col("cluster") == cluster).then(own).otherwise(expression)
    return expression


def _outcomes() -> dict[str, nw.Expr]:
    return {name: is_one_of("state", schema.states_of(name)) for name in schema.OUTCOMES if name != schema.OPEN}


def _all_but_open() -> nw.Expr:
    return functools.reduce(operator.or_, (nw.col(name) for name in schema.OUTCOMES if name != schema.OPEN))


def _overdue() -> nw.Expr:
    age = nw.col("as_of_ms") - nw.col("start_ms")
    late = age > nw.col("timeout_ms") + schema.OVERDUE_GRACE_S * 1000
    return nw.col("open") & is_one_of("task_type", schema.SWEPT) & _surely(late)


def _doubts() -> dict[str, nw.Expr]:
    """Return what can be the matter with the duration of a task that has ended, in the order of weight."""
    created, updated, error = nw.col("created_ms"), nw.col("updated_ms"), nw.col("error")
    # for Python's `re`, but not for RE2, `$` is also before a line end
    cut_off = error.str.contains(CUT_OFF) & ~error.str.ends_with("\n")
    return {
        "unreadable": created.is_null() | updated.is_null(),
        "implausible": nw.col("start_ms").is_null() | _surely(updated > nw.col("as_of_ms") + schema.DAY_MS),
        "polled": is_one_of("task_type", schema.POLLED),
        "cut_off": nw.col("failed") & _surely(cut_off),
        "clock_skew": _surely(updated < created),
    }


def _first_doubt(doubts: Iterable[str]) -> dict[str, nw.Expr]:
    """Return the flags of which only the weightiest is set, or `measured`."""
    flags, clear = {}, ~nw.col("open")
    for name in doubts:
        flags[name] = clear & nw.col(name)
        clear = clear & ~nw.col(name)
    return flags | {"measured": clear}


def is_one_of(column: str, values: Iterable[str]) -> nw.Expr:
    """Tell which texts of a column are among some values; a missing one is not."""
    # comparisons one by one: of categories, pandas compares the codes
    return _surely(functools.reduce(operator.or_, (nw.col(column) == value for value in values)))


def _surely(condition: nw.Expr) -> nw.Expr:
    """Return a condition as false where nobody knows."""
    return condition.fill_null(value=False)
