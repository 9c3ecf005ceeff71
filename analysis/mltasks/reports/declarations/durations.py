"""The report `durations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.reports.declaration import Report, ReportOption
from mltasks.reports.declaration import ReportColumn as Column
from mltasks.reports.declarations import columns


def parse_outcomes(outcome: Any) -> tuple[str, ...]:
    """Return the outcomes whose durations are asked for; raises UsageError for a word that is none."""
    from mltasks.tasks import filter_words, schema  # here, since help reads this module

    words = filter_words.parse_words(outcome or "completed", "outcome")
    outcomes = filter_words.parse_outcomes(word for word in words if word != "all")
    finished = tuple(outcome for outcome in schema.OUTCOMES if outcome != schema.OPEN)
    if "all" in words:
        return finished
    if schema.OPEN in outcomes:
        raise UsageError(f"outcome: an open task has no duration yet; there are {', '.join(finished)}, completed, all")
    return outcomes


def _check(given: Mapping[str, Any]) -> None:
    parse_outcomes(given.get("outcome"))


REPORT = Report(
    name="durations",
    title="Durations",
    question="How long tasks take: median and percentiles.",
    help="""How long tasks take, from creation to completion (queueing included): median and exact percentiles.

    Completed tasks are measured; --outcome failed (or all) measures others. Open tasks have no duration.
    """,
    columns=(
        *(columns.TASKS, columns.COMPLETED, columns.FAILED, columns.CANCELLED, columns.OPEN),
        Column("measured", "count", "tasks", "completed tasks whose duration is known"),
        Column("unmeasured", "count", "tasks", "completed tasks whose duration is not; the notes say why"),
        Column("mean_s", "duration", "s", "mean duration"),
        Column("p50_s", "duration", "s", "median duration"),
        Column("p90_s", "duration", "s", "90th percentile"),
        Column("p95_s", "duration", "s", "95th percentile"),
        Column("p99_s", "duration", "s", "99th percentile"),
        Column("max_s", "duration", "s", "longest duration"),
        Column("wait_s", "duration", "s", "median time that a training waited for a thread of its node"),
        Column("run_s", "duration", "s", "median time that it then ran"),
        Column("wait_share", "share", "", "part of the trainings' time that was waiting"),
    ),
    narrow=("tasks", "failed", "open", "p50_s", "p95_s", "max_s", "wait_share"),
    worst_first=("p50_s", "tasks"),
    examples=(
        "mltasks durations demo --task-type TRAINING --sort p95_s",
        "mltasks durations demo --by function_name --every 1h --plot durations.png",
        "mltasks durations demo --format json",
    ),
    options=(
        ReportOption("jobs", "", "Batch predictions only, by their provider's own start and end.", kind="flag"),
        ReportOption(
            "outcome", "WORD", "Measure the failed, partial, cancelled, or all, not the completed.", kind="texts"
        ),
    ),
    check=_check,
    figure="durations",
)
