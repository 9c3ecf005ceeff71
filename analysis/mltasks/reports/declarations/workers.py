"""The report `workers`."""

from __future__ import annotations

from mltasks.reports.declaration import CHANGES_RATE, Report
from mltasks.reports.declaration import ReportColumn as Column
from mltasks.reports.declarations import columns

REPORT = Report(
    name="workers",
    title="Worker nodes",
    question="Tasks, failures and load by worker node.",
    help="""Tasks, failures and load by worker node: time in flight, share, mean and peak of tasks at once.

    A task with several nodes counts once on each. --since and --until take the tasks in flight then, and clip them.
    """,
    columns=(
        *(columns.NODE_NAME, columns.TASKS, columns.COMPLETED, columns.FAILED),
        Column(
            "expected_failed", "number", "tasks", "failures if each task failed as often as its kind does everywhere"
        ),
        *(columns.OVERDUE, *columns.RATE),
        Column("task_s", "duration", "s", "time in flight, summed over the tasks"),
        Column("task_share", "share", "", "part of the time in flight of all rows"),
        Column("active_s", "duration", "s", "time with at least one task in flight"),
        Column("mean_in_flight", "number", "tasks", "tasks in flight at once, on average"),
        Column("peak_in_flight", "count", "tasks", "tasks in flight at once, at most"),
    ),
    narrow=("node_name", "tasks", "failed", "failure_rate", "task_s", "peak_in_flight"),
    worst_first=("task_s", "tasks"),
    examples=(
        "mltasks workers demo --wide",
        "mltasks workers demo --by worker_node,task_type --sort task_s",
    ),
    keys=("worker_node",),
    window="in_flight",
    refused=CHANGES_RATE,
    figure="workers",
)
