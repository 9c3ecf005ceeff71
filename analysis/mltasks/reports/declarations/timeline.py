"""The report `timeline`."""

from __future__ import annotations

from mltasks.reports.declaration import CHANGES_RATE, Report
from mltasks.reports.declaration import ReportColumn as Column

REPORT = Report(
    name="timeline",
    title="When",
    question="When tasks were created, ended and in flight, by period.",
    help="""When tasks were created, ended and in flight, one row per period; a period without tasks is a row, too.

    Without --every the periods are so long that there are 120 at most. --since and --until take the tasks in flight
    then, and clip them. Starts of nodes are said in the notes, and are lines in the figure.
    """,
    columns=(
        Column("created", "count", "tasks", "created in the period"),
        Column("completed", "count", "tasks", "completed in the period"),
        Column("failed", "count", "tasks", "failed in the period"),
        Column("cancelled", "count", "tasks", "cancelled in the period"),
        Column("open", "count", "tasks", "of those created in the period, still open"),
        Column("mean_in_flight", "number", "tasks", "tasks in flight at once, on average"),
        Column("peak_in_flight", "count", "tasks", "tasks in flight at once, at most"),
    ),
    narrow=("created", "completed", "failed", "open", "mean_in_flight", "peak_in_flight"),
    worst_first=("created",),
    examples=(
        "mltasks timeline demo --every 5min",
        "mltasks timeline demo --by worker_node --every 10min",
        "mltasks timeline demo --task-type TRAINING --plot timeline.svg",
    ),
    keys=("period",),
    window="in_flight",
    refused=dict.fromkeys(CHANGES_RATE, "a period counts the tasks of every outcome"),
    figure="timeline",
)
