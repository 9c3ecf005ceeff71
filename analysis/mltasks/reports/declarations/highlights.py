"""The report `highlights`."""

from __future__ import annotations

from mltasks.reports.declaration import CHANGES_RATE, Report
from mltasks.reports.declaration import ReportColumn as Column
from mltasks.reports.declarations import columns

KINDS = (  # in the order of weight
    *("incomplete", "old", "lost", "overdue", "suspect", "model_down", "never_succeeded", "failing"),
    *("new_error", "worse", "silence", "most_failures"),
)
REPORT = Report(
    name="highlights",
    title="Highlights",
    question="What needs attention: lost tasks, failing groups, new errors, what got worse.",
    help="""What needs attention, the most pressing first, each with a task and the command that shows more.

    Kinds: incomplete, old, lost, overdue, suspect, model_down, never_succeeded, failing, new_error, worse, silence,
    most_failures. Groups of one task type that fail with the same error are one row. No row: nothing was found.
    """,
    columns=(
        Column("kind", "text", "", "what it is; see above"),
        Column("subject", "text", "", "of which tasks, model, error or cluster"),
        Column("count", "count", "", "how many: failures, tasks, models"),
        Column("since", "time", "UTC", "since when"),
        Column("reason", "text", "", "in words, with the numbers that the command shows"),
        columns.EXAMPLE,
        Column("command", "text", "", "the command that shows more"),
        Column("report", "text", "", "the report that has it as a row"),
        Column("row", "text", "", "the keys of that row"),
    ),
    narrow=("kind", "subject", "reason"),
    worst_first=(),
    examples=(
        "mltasks highlights demo",
        "mltasks highlights demo --task-type TRAINING",
        "mltasks highlights demo --format json",
    ),
    keys=("kind", "subject"),
    takes_by=False,
    has_periods=False,
    refused=CHANGES_RATE,
    looks_back=True,
    on_page=False,
)
