"""Which groups need attention: what never succeeded, what is failing, and what is most of all failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mltasks.engines.prepare import Tasks
from mltasks.reports.example_tasks import find_common_errors
from mltasks.reports.failing import is_failing
from mltasks.reports.findings import finding
from mltasks.reports.findings.finding import Commands, Finding

KEYS = ("task_type", "function_name")
NEVER, FAILING, MOST = "never_succeeded", "failing", "most_failures"
SHARE = 1 / 3  # of all failures, beyond which a group is named
FEWEST = 10  # failures in all, below which no group is most of them
FEWEST_NEVER = 2  # failures of a group that never succeeded
SAME = 0.8  # of a group's failures: so common an error is the cause of the group


def select_groups(failures: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `failures` that need attention, each once, with `kind`, the most pressing first.

    First what never succeeded, the most failures first (a single one is of weight only beside others of its cause);
    then what is failing, the longest run first; then what has more than a third of all failures: where there is only
    one group, it is named if it failed more often than it succeeded.
    """
    never = (failures["completed"] == 0) & (failures["failed"] > 0)
    failing = is_failing(failures["completed"], failures["failed"], failures["failures_in_a_row"]) & ~never
    total = failures["failed"].sum()
    is_share = failures["failed"] > (SHARE * total if len(failures) > 1 else failures["completed"])
    most = is_share & (total >= FEWEST) & ~never & ~failing
    parts = [
        failures[never].sort_values("failed", ascending=False, kind="stable").assign(kind=NEVER),
        failures[failing].sort_values("failures_in_a_row", ascending=False, kind="stable").assign(kind=FAILING),
        failures[most].assign(kind=MOST),
    ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else failures.head(0).assign(kind="")


def find_groups(tasks: Tasks, failures: pd.DataFrame, commands: Commands) -> list[Finding]:
    """Return what there is to say of the groups of `failures`; those of one task type and one cause are one finding."""
    chosen = select_groups(failures)
    if chosen.empty:
        return []
    since = chosen["failing_since"].where(chosen["kind"] != MOST)  # the cause of most failures is that of them all
    from_ms = since.dt.as_unit("ms").astype("int64").astype("Float64").where(since.notna()).astype("float64")
    causes = find_common_errors(tasks, chosen[[*KEYS]].assign(from_ms=from_ms), KEYS)
    rows = chosen.merge(causes[[*KEYS, "error", "share", "example_task_id"]], on=[*KEYS], how="left")
    total = int(failures["failed"].sum())
    parts = [part for part in _by_cause(rows) if part[0]["kind"] != NEVER or part[0]["failed"] >= FEWEST_NEVER]
    findings = [_describe(part, total, commands, is_only=len(failures) == 1) for part in parts]
    order = {kind: place for place, kind in enumerate((NEVER, FAILING, MOST))}
    return sorted(findings, key=lambda each: (order[each.kind], -(each.count or 0)))


def _by_cause(rows: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """Return the rows, together those of one kind and task type whose commonest error is the same and common enough."""
    parts: dict[Any, list[dict[str, Any]]] = {}
    for place, row in enumerate(rows.to_dict("records")):
        record = {str(name): value for name, value in row.items()}
        has_cause = isinstance(record["error"], str) and record["share"] >= SAME
        named = finding.can_be_filter([record[key] for key in KEYS])
        together = has_cause and named and record["kind"] != MOST
        key = (record["kind"], record["task_type"], record["error"]) if together else place
        parts.setdefault(key, []).append(record)
    return [*parts.values()]


def _describe(rows: Sequence[dict[str, Any]], total: int, commands: Commands, *, is_only: bool) -> Finding:
    first = rows[0]
    row = finding.row_text(first[key] for key in KEYS)
    subject, command = row, commands.show("failures", **{key: first[key] for key in KEYS})
    if len(rows) > 1:
        functions = [each["function_name"] for each in rows]
        subject = f"{first['task_type']} / {', '.join(functions)}"
        by = ["--by task_type"] if first["kind"] == NEVER else []
        command = commands.show("failures", *by, task_type=first["task_type"], function_name=functions)
    since = min((each["failing_since"] for each in rows if not pd.isna(each["failing_since"])), default=None)
    count, reason = _reason(rows, total, since, is_only=is_only)
    cause = finding.because(first["error"]) if first["share"] >= SAME else ""
    if cause and any(row["share"] < 1 for row in rows):
        cause = f", mostly{cause}"
    example = first["example_task_id"] if isinstance(first["example_task_id"], str) else None
    return Finding(first["kind"], subject, reason + cause, command, count, since, example, "failures", row)


def _reason(rows: Sequence[dict[str, Any]], total: int, since: Any, *, is_only: bool) -> tuple[int, str]:
    begin = f" since {finding.moment(since)}" if since is not None else ""
    first = rows[0]
    if first["kind"] == NEVER:
        failed, cancelled = (sum(int(row[name]) for row in rows) for name in ("failed", "cancelled"))
        others = f", {cancelled:,} cancelled" if cancelled else ""
        return failed, f"{failed:,} failed{others} and none succeeded{begin}"
    if first["kind"] == MOST:
        failed = int(first["failed"])
        return failed, f"{failed:,} of all {total:,} failures" + (
            f", {int(first['completed']):,} completed" if is_only else ""
        )
    run = int(first["failures_in_a_row"])
    success = max(row["last_success"] for row in rows)
    return (
        run,
        f"{'up to ' if len(rows) > 1 else ''}{run:,} failed in a row{begin}, last success {finding.moment(success)}",
    )
