"""What is the matter with the duration of a task: measured, open, overdue, cut off by the time-out, and others."""

from __future__ import annotations

import narwhals as nw

from mltasks.tasks import schema
from mltasks.tasks.outcomes import has_outcome, write_names

CUT_OFF_END = " seconds"
CUT_OFF = rf"^timeout after [0-9]+{CUT_OFF_END}$"
STATUSES = ("measured", "open", "overdue", "cut_off", "polled", "clock_skew", "implausible", "unreadable")
STATUS = {name: code for code, name in enumerate(STATUSES)}
ORDINARY, SWEPT, POLLED = range(3)  # types of tasks: by who ends them
TYPES = dict.fromkeys(schema.SWEPT, SWEPT) | dict.fromkeys(schema.POLLED, POLLED)


def statuses(durations: bool) -> dict[int, nw.Expr]:
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


def has_status(name: str) -> nw.Expr:
    """Tell which tasks have one of STATUSES."""
    return nw.col("status_code") == STATUS[name]


def is_polled() -> nw.Expr:
    """Tell which tasks run at a provider, and change whenever somebody looks at them."""
    return nw.col("type_code") == POLLED


def duration_status() -> nw.Expr:
    """Return the name of the status; an overdue task is open."""
    return write_names("status_code", [schema.OPEN if name == "overdue" else name for name in STATUSES], schema.OPEN)
