"""What follows from tasks, found the slow way: plain Python over dicts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.metadata import ClusterInfo
from support.generated import Made

EARLIEST = datetime(2019, 1, 1, tzinfo=UTC).timestamp() * 1000
DAY = 86_400_000
OUTCOMES = {
    "COMPLETED": "succeeded",
    "COMPLETED_WITH_ERROR": "partial",
    "FAILED": "failed",
    "EXPIRED": "failed",
    "UNREACHABLE": "failed",
    "CANCELLED": "cancelled",
}
COMPLETED = ("succeeded", "partial")
SWEPT = {"TRAINING", "REGISTER_MODEL", "UPLOAD_MODEL", "DEPLOY_MODEL", "LOAD_MODEL", "BATCH_INGEST"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A task with what follows from it."""

    row: Row
    outcome: str
    status: str
    seconds: float | None
    start: int | None
    end: int | None
    overdue: bool
    updated: int | None
    reason: str | None
    blamed: dict[str, str]
    as_of: int

    def value(self, key: str) -> Any:
        """Return the value of a column."""
        derived = {
            "outcome": self.outcome,
            "duration_status": self.status,
            "duration_s": self.seconds,
            "reason": self.reason,
        }
        return derived[key] if key in derived else self.row[key]


def read(row: Row, reading: ClusterInfo) -> Task:
    """Return what follows from a task of a cluster."""
    created, updated, as_of = row["create_time"], row["last_update_time"], reading.as_of_ms
    assert as_of is not None
    outcome = OUTCOMES.get(row["state"], "open")
    start = created if created is not None and EARLIEST <= created <= as_of + DAY else None
    sane = updated if updated is not None and EARLIEST <= updated <= as_of + DAY else None
    late = start is not None and as_of - start > (reading.timeout_s + 60) * 1000
    overdue = outcome == "open" and row["task_type"] in SWEPT and late
    if created is not None and start is None:
        status = "implausible"
    elif outcome == "open":
        status = "open"
    elif created is None or updated is None:
        status = "unreadable"
    elif updated > as_of + DAY:
        status = "implausible"
    elif row["task_type"] == "BATCH_PREDICTION":
        status = "polled"
    elif outcome == "failed" and re.fullmatch("timeout after [0-9]+ seconds", row["error"] or ""):
        status = "cut_off"
    else:
        status = "clock_skew" if updated < created else "measured"
    seconds = (updated - created) / 1000 if status == "measured" else None
    end = updated
    if outcome == "open":
        end = start + reading.timeout_s * 1000 if overdue and start is not None else as_of
    blamed = _object(row["error"]) if row["task_type"] in ("DEPLOY_MODEL", "LOAD_MODEL") else {}
    return Task(row, outcome, status, seconds, start, end, overdue, sane, _reason(row, blamed), blamed, as_of)


def _object(text: str | None) -> dict[str, str]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


def _reason(row: Row, blamed: dict[str, str]) -> str | None:
    if row["error"] is not None:
        return "; ".join(sorted(set(blamed.values()))) or str(row["error"])
    message = _object(row["response"]).get("error_message")
    return message or None


def selected(made: Made, options: dict[str, Any], *, window: Window = "created") -> list[Task]:
    """Return the tasks that the filters let pass."""
    readings = {reading.cluster: reading for reading in made.context.readings}
    first = made.context.readings[0]
    found = []
    for row in made.rows:
        reading = readings.get(row["cluster"], first)
        if "as_of" in options:
            reading = ClusterInfo(cluster=reading.cluster, as_of_ms=options["as_of"], timeout_s=reading.timeout_s)
        found.append(read(row, reading))
    names = made.context.names()
    return [task for task in found if _passes(task, options, names, window=window)]


def _passes(task: Task, options: dict[str, Any], names: dict[str, str], *, window: Window) -> bool:
    since, until = options.get("since"), options.get("until")
    if (since is not None or until is not None) and task.start is None:
        return False
    if since is not None and not begins_or_lives(task, since, window=window):
        return False
    if until is not None and not (task.start is not None and task.start < until):
        return False
    for name in ("task_type", "cluster"):
        if name in options and (task.row[name] or "").lower() != options[name].lower():
            return False
    if "node" in options:
        word = options["node"].lower()
        if not any(word in node or word in names.get(node, "").lower() for node in task.row["worker_node"]):
            return False
    if "error" in options:
        return any(options["error"].lower() in (text or "").lower() for text in (task.row["error"], task.reason))
    return True


def begins_or_lives(task: Task, since: int, *, window: Window) -> bool:
    assert task.start is not None
    return task.start >= since or (window == "in_flight" and task.end is not None and task.end > since)


def per_node(tasks: list[Task], word: str = "", names: dict[str, str] | None = None) -> list[Task]:
    """Return a task for each of its nodes whose id or name contains a word, with the outcome there."""
    found = []
    for task in tasks:
        nodes: list[str | None] = list(dict.fromkeys([*task.row["worker_node"], *task.blamed])) or [None]
        for node in nodes:
            outcome = task.outcome
            if node in task.blamed:
                outcome = "failed"
            elif task.blamed and outcome in ("failed", "partial"):
                outcome = "succeeded"
            if not word or (node and (word in node or word in (names or {}).get(node, "").lower())):
                found.append(replace(task, row={**task.row, "worker_node": node}, outcome=outcome))
    return found


def exploded(made: Made, tasks: list[Task], options: dict[str, Any]) -> list[Task]:
    """Return a task for each of its nodes where they are a key."""
    if "worker_node" not in options["by"]:
        return tasks
    return per_node(tasks, options.get("node", "").lower(), made.context.names())


def grouped(tasks: list[Task], options: dict[str, Any]) -> dict[tuple[Any, ...], list[Task]]:
    """Return the tasks by key: the values of `by`, then the start of the period of creation in ms."""
    by = options["by"]
    groups: dict[tuple[Any, ...], list[Task]] = {} if by or "every" in options else {(): []}
    for task in tasks:
        key = tuple(task.value(name) for name in by)
        if "every" in options:
            if task.start is None:
                continue
            key = (*key, period(task.start, options["every"], options["tz"]))
        groups.setdefault(key, []).append(task)
    return groups


def period(ms: int, every: str, tz: str) -> int:
    """Return the first instant [ms] of the period that a time lies in."""
    number, unit = re.fullmatch("([0-9]+)([a-z]+)", every).groups()  # type: ignore[union-attr]
    if unit in ("min", "h"):
        width = int(number) * {"min": 60_000, "h": 3_600_000}[unit]
        return ms - ms % width
    zone = ZoneInfo(tz)
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(zone).date()
    if unit == "w":
        day -= timedelta(days=day.weekday())
    if unit == "mo":
        day = day.replace(day=1)
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
