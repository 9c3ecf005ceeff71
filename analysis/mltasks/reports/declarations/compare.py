"""The report `compare`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.reports.declaration import CHANGES_RATE, Report, ReportOption
from mltasks.reports.declaration import ReportColumn as Column


def _quantile(name: str, label: str) -> tuple[Column, ...]:
    return (
        Column(f"{name}_before_s", "duration", "s", f"{label} before"),
        Column(f"{name}_after_s", "duration", "s", f"{label} after"),
        Column(f"{name}_ratio", "number", "", "after / before"),
        Column(f"{name}_ratio_low", "number", "", "lower end of its 95 % interval"),
        Column(f"{name}_ratio_high", "number", "", "upper end of its 95 % interval"),
        Column(f"{name}_verdict", "text", "", f"verdict on the {label}"),
    )


def check_sides(given: Mapping[str, Any]) -> None:
    """Raise UsageError for keywords of `compare` that name no two sides; some of them may be missing."""
    split, since, against, node = (given.get(name) for name in ("split", "since", "against", "node"))
    if sum(value is not None for value in (split, against, node)) > 1:
        raise UsageError("compare: split, against and node are three ways to compare; give one of them")
    if against is not None and since is None:
        raise UsageError("compare: against needs since, the begin of what is compared; such as since 7d")
    if isinstance(against, str) and against != PREVIOUS:
        from mltasks.tasks import times  # here, since help reads this module

        times.parse_time(against, 0, "against")
    if node is not None:
        from mltasks.tasks.group_columns import OTHER_NAMES, parse_by

        if {*OTHER_NAMES, *OTHER_NAMES.values()} & {*parse_by(given.get("by") or ())}:
            raise UsageError("compare: node compares one node with the others; leave worker_node out of by")


PREVIOUS = "previous"  # what `against` may say beside a time
VERDICTS = (  # of one group's measures, the first of these is shown
    *("worse", "better", "worse?", "better?", "unclear", "same", "only before", "only after", "too few"),
)
ROWS = (  # in which order the groups are read: what is bad, what is good, what cannot be told
    *("worse", "worse?", "better", "better?", "unclear", "same", "only before", "only after", "too few"),
)
REPORT = Report(
    name="compare",
    title="Changes",
    question="Whether it is worse: rates and durations before and after, or of one node.",
    help="""Whether tasks fail more often or take longer: before and after a time, or on one node against the others.

    Without --split, --against or --node, the time that the tasks cover is cut in its middle. Verdicts: worse, better
    (clear and large enough), worse?, better? (clear in this comparison alone), same, unclear, too few, only before,
    only after.
    """,
    columns=(
        Column("verdict", "text", "", "of the measures, the verdict that weighs most"),
        Column("evidence", "text", "", "what the verdict is of: the measure and its change"),
        Column("tasks_before", "count", "tasks", "created before"),
        Column("tasks_after", "count", "tasks", "created after"),
        Column("failed_before", "count", "tasks", "failed of those before"),
        Column("failed_after", "count", "tasks", "failed of those after"),
        Column("rate_before", "share", "", "failed / (completed + failed) before"),
        Column("rate_after", "share", "", "failed / (completed + failed) after"),
        Column("rate_change", "number", "", "rate_after - rate_before"),
        Column("rate_change_low", "number", "", "lower end of its 95 % interval"),
        Column("rate_change_high", "number", "", "upper end of its 95 % interval"),
        Column("design_effect", "number", "", "tasks that count as one, since failures come in bursts"),
        Column("rate_verdict", "text", "", "verdict on the failure rate"),
        Column("changed", "time", "UTC", "since when the failure rate is another one, if that is clear"),
        Column("changed_low", "time", "UTC", "the earliest that it may have been"),
        Column("changed_high", "time", "UTC", "the latest that it may have been"),
        *_quantile("p50", "median"),
        *_quantile("p95", "95th percentile"),
    ),
    narrow=("verdict", "evidence"),
    worst_first=("verdict", "rate_change", "p50_ratio"),
    orders={"verdict": ROWS},
    examples=(
        "mltasks compare demo --split '2026-11-24 22:05'",
        "mltasks compare demo --since 10m --against previous --by task_type",
        "mltasks compare demo --node n1",
    ),
    has_periods=False,
    refused=CHANGES_RATE,
    options=(
        ReportOption("split", "TIME", "Compare what was created before and after this time."),
        ReportOption("since", "TIME", "Compare what was created since then, such as 7d."),
        ReportOption("until", "TIME", "Leave out what was created from then on."),
        ReportOption("against", "WORD", "With --since: previous (as long a time before it), or when that began."),
        ReportOption("node", "NODE", "Compare this node, by id or name, with all others."),
    ),
    check=check_sides,
    on_page=False,
)
