"""Kinds of tasks: outcome and status as one small number.

To group by it beside a report's keys costs less than to count each outcome and each status in a pass over the rows:
how many tasks are which is then told from a small table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import narwhals as nw

from mltasks.tasks import duration_status, schema
from mltasks.tasks.outcomes import OUTCOME, UNKNOWN

KIND = "kind"
OutcomeCodes = frozenset[int]
STATUSES = len(duration_status.STATUSES)


def outcome_code() -> nw.Expr:
    """Return the kind of each task."""
    return nw.col("outcome_code") * STATUSES + nw.col("status_code")


def codes_of(
    outcomes: Collection[str] = schema.OUTCOMES, statuses: Collection[str] = duration_status.STATUSES
) -> OutcomeCodes:
    """Return the kinds with one of some outcomes and one of some statuses."""
    codes = [code for name, code in OUTCOME.items() if name in outcomes]
    if schema.OPEN in outcomes:
        codes.append(UNKNOWN)
    return frozenset(code * STATUSES + duration_status.STATUS[status] for code in codes for status in statuses)


def codes_by_name(*names: str) -> dict[str, OutcomeCodes]:
    """Return some of COUNTS."""
    return {name: COUNTS[name] for name in names}


COUNTS: Mapping[str, OutcomeCodes] = {
    "completed": codes_of(schema.COMPLETED),
    **{name: codes_of([name]) for name in schema.OUTCOMES},
    "unknown": frozenset(UNKNOWN * STATUSES + code for code in duration_status.STATUS.values()),
    "overdue": codes_of(statuses=["overdue"]),
    "implausible": codes_of(statuses=["implausible"]),
}
