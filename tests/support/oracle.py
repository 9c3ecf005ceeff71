"""What the reports must say, found the slow way: loops over dicts, numpy's percentiles, scipy's intervals."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from mltasks.context import Reading
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

    def value(self, key: str) -> Any:
        """Return the value of a column."""
        derived = {
            "outcome": self.outcome,
            "duration_status": self.status,
            "duration_s": self.seconds,
            "reason": self.reason,
        }
        return derived[key] if key in derived else self.row[key]


def read(row: Row, reading: Reading) -> Task:
    """Return what follows from a task of a cluster."""
    created, updated, as_of = row["create_time"], row["last_update_time"], reading.as_of_ms
    assert as_of is not None
    outcome = OUTCOMES.get(row["state"], "open")
    start = created if created is not None and EARLIEST <= created <= as_of + DAY else None
    sane = updated if updated is not None and EARLIEST <= updated <= as_of + DAY else None
    late = start is not None and as_of - start > (reading.timeout_s + 60) * 1000
    overdue = outcome == "open" and row["task_type"] in SWEPT and late
    if outcome == "open":
        status = "open"
    elif created is None or updated is None:
        status = "unreadable"
    elif start is None or updated > as_of + DAY:
        status = "implausible"
    elif row["task_type"] == "BATCH_PREDICTION":
        status = "polled"
    elif outcome == "failed" and re.fullmatch("timeout after [0-9]+ seconds", row["error"] or ""):
        status = "cut_off"
    else:
        status = "clock_skew" if updated < created else "measured"
    seconds = (updated - created) / 1000 if status == "measured" else None
    end = (None if overdue else as_of) if outcome == "open" else updated
    blamed = _object(row["error"]) if row["task_type"] in ("DEPLOY_MODEL", "LOAD_MODEL") else {}
    return Task(row, outcome, status, seconds, start, end, overdue, sane, _reason(row, blamed), blamed)


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


def selected(made: Made, options: dict[str, Any], *, overlap: bool = False) -> list[Task]:
    """Return the tasks that the filters let pass."""
    readings = {reading.cluster: reading for reading in made.context.readings}
    first = made.context.readings[0]
    found = []
    for row in made.rows:
        reading = readings.get(row["cluster"], first)
        if "as_of" in options:
            reading = Reading(cluster=reading.cluster, as_of_ms=options["as_of"], timeout_s=reading.timeout_s)
        found.append(read(row, reading))
    names = made.context.names()
    return [task for task in found if _passes(task, options, names, overlap=overlap)]


def _passes(task: Task, options: dict[str, Any], names: dict[str, str], *, overlap: bool) -> bool:
    since, until = options.get("since"), options.get("until")
    if (since is not None or until is not None) and task.start is None:
        return False
    if since is not None and not _begins_or_lives(task, since, overlap=overlap):
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


def _begins_or_lives(task: Task, since: int, *, overlap: bool) -> bool:
    assert task.start is not None
    return task.start >= since or (overlap and task.end is not None and task.end > since)


def per_node(tasks: list[Task]) -> list[Task]:
    """Return a task for each of its nodes, with the outcome there."""
    found = []
    for task in tasks:
        nodes: list[str | None] = list(dict.fromkeys([*task.row["worker_node"], *task.blamed])) or [None]
        for node in nodes:
            outcome = task.outcome
            if node in task.blamed:
                outcome = "failed"
            elif task.blamed and outcome in ("failed", "partial"):
                outcome = "succeeded"
            found.append(replace(task, row={**task.row, "worker_node": node}, outcome=outcome))
    return found


def grouped(tasks: list[Task], options: dict[str, Any]) -> dict[tuple[Any, ...], list[Task]]:
    """Return the tasks by key: the values of `by`, then the start of the period of creation in ms."""
    by = options["by"]
    groups: dict[tuple[Any, ...], list[Task]] = {} if by or "every" in options else {(): []}
    for task in per_node(tasks) if "worker_node" in by else tasks:
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


def durations(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `durations` by key."""
    measured = {"completed": COMPLETED, "failed": ("failed",), "all": (*COMPLETED, "failed", "cancelled")}
    chosen = measured[options.get("outcome", "completed")]
    return {key: _durations(tasks, chosen) for key, tasks in grouped(selected(made, options), options).items()}


def _durations(tasks: list[Task], chosen: tuple[str, ...]) -> Row:
    asked = [task for task in tasks if task.outcome in chosen]
    seconds = [task.seconds for task in asked if task.seconds is not None]
    quantiles = {"p50_s": 50, "p90_s": 90, "p95_s": 95, "p99_s": 99}
    return {
        "tasks": len(tasks),
        "completed": sum(task.outcome in COMPLETED for task in tasks),
        **{name: sum(task.outcome == name for task in tasks) for name in ("failed", "cancelled", "open")},
        "measured": len(seconds),
        "unmeasured": len(asked) - len(seconds),
        "mean_s": float(np.mean(seconds)) if seconds else None,
        **{name: float(np.percentile(seconds, q)) if seconds else None for name, q in quantiles.items()},
        "max_s": max(seconds, default=None),
    }


def failures(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `failures` by key."""
    return {key: _failures(tasks) for key, tasks in grouped(selected(made, options), options).items()}


def _failures(tasks: list[Task]) -> Row:
    ends = [task.updated for task in tasks if task.outcome in COMPLETED and task.updated is not None]
    last = max(ends, default=None)
    since = [
        task.start
        for task in tasks
        if task.outcome == "failed" and task.start is not None and (last is None or task.start > last)
    ]
    counts = {name: sum(task.outcome == name for task in tasks) for name in ("partial", "failed", "cancelled", "open")}
    completed = sum(task.outcome in COMPLETED for task in tasks)
    return {
        "tasks": len(tasks),
        "completed": completed,
        **counts,
        **rates(counts["failed"], completed),
        "last_success": last,
        "failing_since": min(since, default=None),
    }


def rates(failed: int, completed: int) -> Row:
    """Return the failure rate with its interval."""
    names = ("failure_rate", "failure_rate_low", "failure_rate_high")
    if not failed + completed:
        return dict.fromkeys(names)
    found = binomtest(failed, failed + completed)
    interval = found.proportion_ci(method="wilson")
    return dict(zip(names, (failed / (failed + completed), interval.low, interval.high), strict=True))


def workers(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `workers` by key."""
    as_of = options.get("as_of", made.context.as_of_ms)
    tasks = selected(made, options, overlap=True)
    starts = [task.start for task in tasks if task.start is not None]
    low = options["since"] if "since" in options else min(starts, default=as_of)
    high = min(options.get("until", as_of), as_of)
    if "every" not in options:
        return _workers(made, tasks, options, low, high)
    found = {}
    begin = low
    while begin < high:
        first = period(begin, options["every"], options["tz"])
        end = begin + 1  # the next period, looked for in steps and then to the millisecond
        for stride in (3_600_000, 60_000, 1000, 1):
            while period(end + stride - 1, options["every"], options["tz"]) == first and end < high:
                end += stride
        end = min(end, high)
        inside = [
            task
            for task in tasks
            if task.start is not None and _begins_or_lives(task, begin, overlap=True) and task.start < end
        ]
        found |= {(*key, first): row for key, row in _workers(made, inside, options, begin, end).items()}
        begin = end
    return found


def _workers(made: Made, tasks: list[Task], options: dict[str, Any], low: int, high: int) -> dict[Any, Row]:
    by = options["by"]
    known = [task for task in tasks if not _only_coordinated(task.row)]
    groups: dict[tuple[Any, ...], list[Task]] = {} if by else {(): []}
    if by == ["worker_node"]:
        groups = {(node,): [] for node in _nodes(made, options)}
    for task in per_node(known) if "worker_node" in by else known:
        if "worker_node" not in by or task.row["worker_node"] is not None:
            groups.setdefault(tuple(task.value(key) for key in by), []).append(task)
    rows = {key: _load(members, low, high) for key, members in groups.items()}
    total = sum(row["task_s"] for row in rows.values())
    for key, row in rows.items():
        row["task_share"] = row["task_s"] / total if total else None
        if "worker_node" in by:
            row["node_name"] = made.context.names().get(key[by.index("worker_node")])
    return rows


def _only_coordinated(row: Row) -> bool:
    return row["task_type"] in ("REGISTER_MODEL", "UPLOAD_MODEL") and row["function_name"] == "REMOTE"


def _nodes(made: Made, options: dict[str, Any]) -> list[str]:
    cluster, word = options.get("cluster", "").lower(), options.get("node", "").lower()
    readings = [reading for reading in made.context.readings if cluster in ("", reading.cluster)]
    nodes = {node: known.name for reading in readings for node, known in (reading.nodes or {}).items()}
    return [node for node, name in nodes.items() if word in node or word in name]


def _load(tasks: list[Task], low: int, high: int) -> Row:
    lives = []
    for task in tasks:
        if task.start is None or task.end is None or task.row["task_type"] == "BATCH_PREDICTION":
            continue
        if task.status in ("clock_skew", "implausible"):
            continue
        begin, end = max(task.start, low), min(max(task.end, task.start + 1), high)
        if begin < end:
            lives.append((begin, end))
    count: Callable[[int], int] = lambda at: sum(begin <= at < end for begin, end in lives)  # noqa: E731
    edges = sorted({edge for life in lives for edge in life})
    pieces = list(pairwise(edges))
    failed = sum(task.outcome == "failed" for task in tasks)
    completed = sum(task.outcome in COMPLETED for task in tasks)
    spent = sum(end - begin for begin, end in lives)
    return {
        "tasks": len(tasks),
        "completed": completed,
        "failed": failed,
        **rates(failed, completed),
        "task_s": spent / 1000,
        "active_s": sum(end - begin for begin, end in pieces if count(begin)) / 1000,
        "mean_in_flight": spent / (high - low) if high > low else None,
        "peak_in_flight": max((count(begin) for begin, _ in pieces), default=0),
    }


def as_rows(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[Any, ...], Row]:
    """Return a report's table by key, in plain Python: times as ms, what is missing as None."""
    found = {}
    for row in frame.to_dict("records"):
        plain = {str(name): _plain(value) for name, value in row.items()}
        key = tuple(plain.pop(name) for name in keys)
        assert key not in found, f"{key} is there twice"
        found[key] = plain
    return found


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.value // 1_000_000 if isinstance(value, pd.Timestamp) else value


def differences(frame: pd.DataFrame, expected: dict[tuple[Any, ...], Row], keys: list[str]) -> list[str]:
    """Return where a report's table is another than expected; numbers may differ in the last of their digits."""
    found = as_rows(frame, keys)
    wrong = [f"{key}: {'missing' if key in expected else 'too many'}" for key in found.keys() ^ expected.keys()]
    for key in found.keys() & expected.keys():
        for name in found[key].keys() | expected[key].keys():
            is_, should = found[key].get(name, "absent"), expected[key].get(name, "absent")
            if not (is_ == should or (_number(is_) and _number(should) and math.isclose(is_, should, abs_tol=1e-9))):
                wrong.append(f"{key} {name}: {is_!r}, expected {should!r}")
    return wrong


def _number(value: Any) -> bool:
    return isinstance(value, int | float)
