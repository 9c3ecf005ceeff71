"""The report `failures`."""

from __future__ import annotations

from mltasks.reports.declaration import CHANGES_RATE, Report
from mltasks.reports.declarations import columns

REPORT = Report(
    name="failures",
    title="Failure rates",
    question="How often tasks fail, and since when.",
    help="""How often tasks fail: failed / (completed + failed) with its 95 % interval, and since when.

    Cancelled and open tasks are counted beside it. The interval is wider where failures come in bursts. Filters by
    state, outcome or error are refused: they change the rate.
    """,
    columns=(
        *(columns.TASKS, columns.COMPLETED, columns.PARTIAL, columns.FAILED, columns.CANCELLED, columns.OPEN),
        *(columns.OVERDUE, *columns.RATE, columns.DESIGN_EFFECT),
        *(columns.LAST_SUCCESS, columns.FAILING_SINCE, columns.IN_A_ROW),
    ),
    narrow=(
        *("tasks", "failed", "open", "failure_rate", "failure_rate_low", "failure_rate_high"),
        *("last_success", "failing_since"),
    ),
    worst_first=("failed", "failure_rate", "tasks"),
    examples=(
        "mltasks failures demo --by function_name --sort failure_rate",
        "mltasks failures demo --by task_type --every 15min --wide",
        "mltasks list demo --outcome failed --columns task_id,reason",
    ),
    refused=CHANGES_RATE,
    now_only=("last_success", "failing_since", "failures_in_a_row"),
    figure="failures",
)
