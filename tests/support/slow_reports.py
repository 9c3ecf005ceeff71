"""What the reports must say, found the slow way: loops, numpy's percentiles, scipy's intervals, a naive sweep."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from support.generated import Made
from support.oracle import COMPLETED, Row, Task, begins_or_lives, grouped, per_node, period, selected


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
    as_of = options.get("as_of") or made.context.as_of_ms or 0
    tasks = selected(made, options, window="in_flight")
    starts = [task.start for task in tasks if task.start is not None]
    low: int = options["since"] if "since" in options else min(starts, default=as_of)
    high = min(options.get("until", as_of), as_of)
    if "every" not in options:
        return _workers(made, tasks, options, low, high)
    found: dict[tuple[Any, ...], Row] = {}
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
            if task.start is not None and begins_or_lives(task, begin, window="in_flight") and task.start < end
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
    edges = sorted({edge for life in lives for edge in life})
    pieces = [(at, to, sum(begin <= at < end for begin, end in lives)) for at, to in pairwise(edges)]
    failed = sum(task.outcome == "failed" for task in tasks)
    completed = sum(task.outcome in COMPLETED for task in tasks)
    spent = sum(end - begin for begin, end in lives)
    return {
        "tasks": len(tasks),
        "completed": completed,
        "failed": failed,
        **rates(failed, completed),
        "task_s": spent / 1000,
        "active_s": sum(to - at for at, to, level in pieces if level) / 1000,
        "mean_in_flight": spent / (high - low) if high > low else None,
        "peak_in_flight": max((level for _, _, level in pieces), default=0),
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
