"""What follows from a task's stored columns, as narwhals expressions: outcome, duration, when it was in flight.

One definition for every engine. Every reader computes them anew; a file's own copy is never trusted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import narwhals as nw

from mltasks.tasks import conditions, schema
from mltasks.tasks.conditions import Conditions, Frame, any_of
from mltasks.tasks.metadata import Context

CUT_OFF_END = " seconds"
CUT_OFF = rf"^timeout after [0-9]+{CUT_OFF_END}$"
STATUSES = ("measured", "open", "overdue", "cut_off", "polled", "clock_skew", "implausible", "unreadable")
OUTCOME = {name: code for code, name in enumerate(schema.OUTCOMES)}
STATUS = {name: code for code, name in enumerate(STATUSES)}
OPEN, UNKNOWN = OUTCOME[schema.OPEN], len(OUTCOME)  # from OPEN on a task is open; UNKNOWN: its state is not known
ORDINARY, SWEPT, POLLED = range(3)  # types of tasks: by who ends them
TYPES = dict.fromkeys(schema.SWEPT, SWEPT) | dict.fromkeys(schema.POLLED, POLLED)
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
    outcomes = {state: OUTCOME[meaning] for state, meaning in schema.STATES.items()}
    frame = choose.map_values(frame, "outcome_code", "state", outcomes, UNKNOWN)
    frame = choose.map_values(frame, "type_code", "task_type", TYPES, ORDINARY)
    created, updated = nw.col("created_ms"), nw.col("updated_ms")
    frame = choose.when_then(frame, "start_ms", plausible(created), created)
    frame = choose.case_when(frame, "status_code", _statuses(durations), STATUS["measured"])
    if "end_ms" in wanted:
        overdue_since = nw.col("start_ms") + nw.col("timeout_ms")
        open_until = nw.when(has_status("overdue")).then(overdue_since).otherwise(nw.col("as_of_ms"))
        frame = frame.with_columns(end_ms=nw.when(has_outcome(schema.OPEN)).then(open_until).otherwise(updated))
    if "duration_s" in wanted:
        frame = choose.when_then(frame, "duration_s", has_status("measured"), seconds())
    texts = {"outcome": outcome(), "duration_status": _duration_status()}
    texts = {name: text for name, text in texts.items() if name in wanted}
    return frame.with_columns(**texts) if texts else frame


def has_outcome(*names: str) -> nw.Expr:
    """Tell which tasks have one of some outcomes."""
    code = nw.col("outcome_code")
    return any_of(code >= OPEN if name == schema.OPEN else code == OUTCOME[name] for name in names)


def has_status(name: str) -> nw.Expr:
    """Tell which tasks have one of STATUSES."""
    return nw.col("status_code") == STATUS[name]


def is_polled() -> nw.Expr:
    """Tell which tasks run at a provider, and change whenever somebody looks at them."""
    return nw.col("type_code") == POLLED


def seconds() -> nw.Expr:
    """Return the time [s] from creation to the last update."""
    return (nw.col("updated_ms") - nw.col("created_ms")) / 1000


def outcome() -> nw.Expr:
    """Return the name of the outcome."""
    return _write_names("outcome_code", schema.OUTCOMES[:OPEN], schema.OPEN)


def _duration_status() -> nw.Expr:
    return _write_names("status_code", [schema.OPEN if name == "overdue" else name for name in STATUSES], schema.OPEN)


def _write_names(code: str, names: Iterable[str], otherwise: str) -> nw.Expr:
    expression: nw.Expr = nw.lit(otherwise)
    for place, name in enumerate(names):
        expression = nw.when(nw.col(code) == place).then(nw.lit(name)).otherwise(expression)
    return expression


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


def _statuses(durations: bool) -> dict[int, nw.Expr]:
    """Return what can be the matter with a task's duration, in the order of weight."""
    created, updated, start = nw.col("created_ms"), nw.col("updated_ms"), nw.col("start_ms")
    late = nw.col("as_of_ms") - start > nw.col("timeout_ms") + schema.OVERDUE_GRACE_S * 1000
    finished = ~has_outcome(schema.OPEN)
    too_late = updated > nw.col("as_of_ms") + schema.DAY_MS
    conditions = {
        "implausible": (~created.is_null() & start.is_null()) | (finished & ~created.is_null() & too_late),
        "overdue": has_outcome(schema.OPEN) & (nw.col("type_code") == SWEPT) & late,
        "open": has_outcome(schema.OPEN),
        "unreadable": created.is_null() | updated.is_null(),
    }
    if durations:
        error = nw.col("error")
        # to some engines `$` is also before the end of the last line, which is of other characters in each
        ended = error.str.contains(CUT_OFF) & error.str.ends_with(CUT_OFF_END)
        conditions |= {
            "polled": is_polled(),
            "cut_off": has_outcome(schema.FAILED) & ended,
            "clock_skew": updated < created,
        }
    return {STATUS[name]: condition for name, condition in conditions.items()}


def is_one_of(column: str, values: Iterable[str]) -> nw.Expr:
    """Tell which texts of a column are among some values; a missing one is not."""
    # comparisons one by one: of categories, pandas compares the codes
    return any_of(nw.col(column) == value for value in values).fill_null(value=False)
