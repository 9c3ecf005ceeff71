"""Open tasks and models that need attention: lost, overdue, suspect; down, given up, stale."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mltasks.reports.findings import finding
from mltasks.reports.findings.finding import Commands, Finding

TASKS = ("lost", "overdue", "suspect")  # verdicts of `unfinished`
MODELS = ("down", "given_up", "stuck", "stale")  # verdicts of `models`
NAMED = 3  # models of one finding that are named


def find_tasks(unfinished: pd.DataFrame, as_of_ms: int | None, commands: Commands) -> list[Finding]:
    """Return the lost, overdue and suspect tasks, one finding per verdict and task type, the most tasks first."""
    findings = []
    for verdict in TASKS:
        rows = unfinished[unfinished["verdict"] == verdict]
        parts = [part for _, part in rows.groupby("task_type", dropna=False, observed=True)]
        for part in sorted(parts, key=len, reverse=True):
            oldest = part.sort_values("age_s", ascending=False, kind="stable").iloc[0]
            findings.append(_describe_tasks(verdict, part, oldest, as_of_ms, commands))
    return findings


def _describe_tasks(
    verdict: str, part: pd.DataFrame, oldest: pd.Series[Any], as_of_ms: int | None, commands: Commands
) -> Finding:
    since = None
    if as_of_ms is not None and not pd.isna(oldest["age_s"]):
        since = pd.Timestamp(round(as_of_ms - 1000 * oldest["age_s"]), unit="ms", tz="UTC")
    task_type = oldest["task_type"]
    return Finding(
        kind=verdict,
        subject=finding.row_text([task_type]),
        reason=f"{len(part):,} {verdict}{', the oldest' if len(part) > 1 else ''}: {oldest['evidence']}",
        command=commands.show("unfinished", "--by task_type", task_type=task_type),
        count=len(part),
        since=since,
        example_task_id=oldest["task_id"] if isinstance(oldest["task_id"], str) else None,
        report="unfinished",
        row=finding.row_text([oldest["task_id"]]),
    )


def find_models(models: pd.DataFrame, examples: pd.DataFrame, commands: Commands) -> list[Finding]:
    """Return the models that are down, given up, stuck or stale; those with the same error are one finding.

    `examples`: one row per model_id with the `example_task_id` of its newest failed deployment.
    """
    ids = dict(zip(examples["model_id"], examples["example_task_id"], strict=True))
    findings = []
    for verdict in MODELS:
        rows = models[models["verdict"] == verdict]
        parts = [part for _, part in rows.groupby("last_error", dropna=False, observed=True)]
        for part in sorted(parts, key=len, reverse=True):
            ordered = part.sort_values("failures_in_a_row", ascending=False, kind="stable")
            findings.append(_describe_models(verdict, ordered, ids, commands))
    return findings


def _describe_models(verdict: str, rows: pd.DataFrame, ids: dict[Any, Any], commands: Commands) -> Finding:
    worst, since = rows.iloc[0], rows["failing_since"].min()
    names = [model if pd.isna(name) else name for model, name in zip(rows["model_id"], rows["name"], strict=True)]
    run = int(worst["failures_in_a_row"])
    state = "" if pd.isna(worst["model_state"]) else f", state {worst['model_state']}"
    failed = f", {'up to ' if len(rows) > 1 else ''}{run:,} failed in a row" if run else ""
    begin = "" if pd.isna(since) else f" since {finding.moment(since)}"
    example = ids.get(worst["model_id"])
    models = list(rows["model_id"]) if len(rows) <= NAMED and finding.can_be_filter(list(rows["model_id"])) else []
    return Finding(
        kind="model_down",
        subject=", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else ""),
        reason=f"{len(rows):,} {verdict}{state}{failed}{begin}{finding.because(worst['last_error'])}",
        command=commands.show("models", **({"model": models} if models else {})),
        count=len(rows),
        since=None if pd.isna(since) else since,
        example_task_id=example if isinstance(example, str) else None,
        report="models",
        row=finding.row_text([worst["model_id"]]),
    )
