"""The report `errors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.reports.declaration import Report, ReportOption
from mltasks.reports.declaration import ReportColumn as Column
from mltasks.reports.declarations import columns


def parse_new(new: Any) -> int:
    """Return for how long an error is new [ms]; raises UsageError for what is no span."""
    from mltasks.tasks import times  # here, since help reads this module

    match = times.RELATIVE.fullmatch(str(new).strip())
    if not match or not int(match[1]):
        raise UsageError(f"new: cannot read {new!r} as a span; write 24h, 7d or 2w")
    return int(match[1]) * times.MS[match[2][0].lower()]


def _check(given: Mapping[str, Any]) -> None:
    if given.get("new") is not None:
        parse_new(given["new"])
    if given.get("known") is not None:
        from mltasks.reports.known_errors import load_known_errors

        load_known_errors(given["known"])


REPORT = Report(
    name="errors",
    title="Errors",
    question="Why tasks fail: error texts in groups, what each means and what to do.",
    help="""Why tasks fail: error texts without ids, hosts, paths and numbers, what each means and what to do.

    Failed tasks count, and those completed with an error (partial). A deployment with two texts counts in both.
    """,
    columns=(
        Column("error", "text", "", "the text without what differs from task to task"),
        Column("cause", "text", "", "input, missing, artifact, network, capacity, cluster, ... or unknown"),
        Column("status", "text", "", "new, ongoing, returned after a gap, or gone; see --new"),
        Column("tasks", "count", "tasks", "failed + partial"),
        columns.FAILED,
        Column("partial", "count", "tasks", "completed with this error on some nodes"),
        Column("node_failures", "count", "nodes", "nodes on which deployments failed with it, summed over tasks"),
        Column("variants", "count", "texts", "different texts that became this one"),
        Column("first_seen", "ago", "UTC", "creation of the first task with it"),
        Column("last_seen", "ago", "UTC", "creation of the last task with it"),
        Column("task_types", "text", "", "types of these tasks"),
        Column("functions", "text", "", "function names of these tasks"),
        Column("nodes", "text", "", "nodes that deployments failed on, or that worked on the others"),
        Column("burst", "count", "tasks", "the most that were created within five minutes"),
        Column("example", "text", "", "the newest text as it was"),
        columns.EXAMPLE,
        Column("means", "text", "", "what it means"),
        Column("remedy", "text", "", "what to do"),
    ),
    narrow=("error", "status", "tasks", "last_seen", "functions"),
    worst_first=("tasks", "last_seen"),
    orders={"status": ("new", "returned", "ongoing", "gone")},
    examples=(
        "mltasks errors demo --top 5",
        "mltasks errors demo --task-type DEPLOY_MODEL --sort tasks",
        "mltasks errors demo --format json",
    ),
    keys=("error",),
    takes_by=False,
    has_periods=False,
    options=(
        ReportOption("new", "SPAN", "New is what was first seen within such a time, as in 24h (7d)."),
        ReportOption("known", "FILE", "Known errors of your own, in TOML: [[error]] match, cause, means, remedy."),
    ),
    check=_check,
)
