"""What the reports must say, found the slow way: loops, numpy's percentiles, scipy's intervals, a naive sweep."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from support.generated import Made
from support.oracle import COMPLETED, Row, Task, begins_or_lives, exploded, grouped, period, selected

FEWEST = {50: 1, 90: 10, 95: 20, 99: 100}
RATES = ("failure_rate", "failure_rate_low", "failure_rate_high")
USUAL = {"min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000, "mo": 30 * 86_400_000}


def durations(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `durations` by key."""
    measured = {"completed": COMPLETED, "failed": ("failed",), "all": (*COMPLETED, "failed", "cancelled")}
    chosen = measured[options.get("outcome", "completed")]
    groups = grouped(exploded(made, selected(made, options), options), options)
    rows = {key: _durations(tasks, chosen) for key, tasks in groups.items()}
    for row in rows.values() if "every" in options else ():
        if row["open"] > 0.05 * row["tasks"]:
            row |= dict.fromkeys(("p50_s", "p90_s", "p95_s", "p99_s"))
    return rows


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
        **{
            name: float(np.percentile(seconds, q)) if len(seconds) >= FEWEST[q] else None
            for name, q in quantiles.items()
        },
        "max_s": max(seconds, default=None),
        **dict.fromkeys(("wait_s", "run_s", "wait_share")),  # no pool is known: tests/reports/test_training_waits.py
    }


def failures(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `failures` by key."""
    tasks = selected(made, options)
    starts = [task.start for task in tasks if task.start is not None]
    low, high = min(starts, default=0), max(starts, default=0) + 1

    def block(task: Task) -> int:
        start = low if task.start is None else task.start
        if "every" in options:
            number, unit = re.fullmatch("([0-9]+)([a-z]+)", options["every"]).groups()  # type: ignore[union-attr]
            return start // (int(number) * USUAL[unit] // 20)
        return min((start - low) * 20 // (high - low), 19)

    groups = grouped(exploded(made, tasks, options), options)
    return {key: _failures(members, options, block) for key, members in groups.items()}


def _failures(tasks: list[Task], options: dict[str, Any], block: Callable[[Task], int]) -> Row:
    done = [task for task in tasks if task.outcome in COMPLETED and task.start is not None]
    newest = max((task.start for task in done if task.start is not None), default=None)
    ends = [
        min(task.as_of, task.start if _is_polled(task) else max(task.start, task.row["last_update_time"] or 0))
        for task in done
        if task.start is not None and task.start == newest
    ]
    since = [
        task.start
        for task in tasks
        if task.outcome == "failed" and task.start is not None and (newest is None or task.start > newest)
    ]
    run: Row = {
        "last_success": max(ends, default=None),
        "failing_since": min(since, default=None),
        "failures_in_a_row": len(since),
    }
    counts = {name: sum(task.outcome == name for task in tasks) for name in ("partial", "failed", "cancelled", "open")}
    completed = sum(task.outcome in COMPLETED for task in tasks)
    effect = _design_effect(tasks, block)
    row = {
        "tasks": len(tasks),
        "completed": completed,
        **counts,
        "overdue": sum(task.overdue for task in tasks),
        **rates(counts["failed"], completed, effect),
        "design_effect": effect,
        **(dict.fromkeys(run) if "every" in options else run),
    }
    early = "every" in options and counts["open"] > 0.05 * len(tasks)
    if early or "reason" in options["by"] or row["failure_rate"] is None:
        row |= dict.fromkeys((*RATES, "design_effect"))
    return row


def _is_polled(task: Task) -> bool:
    return bool(task.row["task_type"] == "BATCH_PREDICTION")


def _design_effect(tasks: list[Task], block: Callable[[Task], int]) -> float:
    """Return by how much the shares of blocks differ more than those of independent tasks would."""
    blocks: dict[int, list[int]] = {}
    for task in tasks:
        if task.outcome in (*COMPLETED, "failed"):
            blocks.setdefault(block(task), []).append(int(task.outcome == "failed"))
    flags = [flag for members in blocks.values() for flag in members]
    share = sum(flags) / len(flags) if flags else 0.0
    if len(blocks) < 5 or share in (0, 1):
        return 1.0
    rest = sum((sum(members) - len(members) * share) ** 2 for members in blocks.values())
    variance = len(blocks) / (len(blocks) - 1) * rest / len(flags) ** 2
    return max(1.0, len(flags) * variance / (share * (1 - share)))


def rates(failed: int, completed: int, effect: float = 1.0) -> Row:
    """Return the failure rate with its interval, as of so many times fewer tasks as the design effect says."""
    if not failed + completed:
        return dict.fromkeys(RATES)
    share = failed / (failed + completed)
    if effect == 1:
        interval = binomtest(failed, failed + completed).proportion_ci(method="wilson")
        return dict(zip(RATES, (share, interval.low, interval.high), strict=True))
    n, z = (failed + completed) / effect, norm.ppf(0.975)
    # the roots of (p - share)**2 = z**2 * p * (1 - p) / n
    low, high = sorted(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]).real)
    return dict(zip(RATES, (share, low, high), strict=True))


def workers(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `workers` by key."""
    as_of = options.get("as_of") or made.context.as_of_ms or 0
    tasks = selected(made, options, window="in_flight")
    starts = [task.start for task in tasks if task.start is not None]
    low: int = options["since"] if "since" in options else min(starts, default=as_of)
    high = min(options.get("until", as_of), as_of)
    if "every" not in options:
        return _with_expected(_workers(made, tasks, options, low, high))
    found: dict[tuple[Any, ...], Row] = {}
    for first, begin, end in spans(options, low, high):
        rows = _workers(made, overlapping(tasks, begin, end), options, begin, end)
        found |= {(*key, first): row for key, row in rows.items()}
    return _with_expected(found)


def spans(options: dict[str, Any], low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Yield the periods of [low, high): the first instant of each, and the part of it that is in there."""
    begin = low
    while begin < high:
        first = period(begin, options["every"], options["tz"])
        end = begin + 1  # the next period, looked for in steps and then to the millisecond
        for stride in (3_600_000, 60_000, 1000, 1):
            while period(end + stride - 1, options["every"], options["tz"]) == first and end < high:
                end += stride
        end = min(end, high)
        yield first, begin, end
        begin = end


def overlapping(tasks: list[Task], begin: int, end: int) -> list[Task]:
    """Return the tasks that were in flight at some time in [begin, end)."""
    return [
        task
        for task in tasks
        if task.start is not None and begins_or_lives(task, begin, window="in_flight") and task.start < end
    ]


def timeline(made: Made, options: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Return the rows of `timeline` by key."""
    as_of = options.get("as_of") or made.context.as_of_ms or 0
    tasks, by = selected(made, options, window="in_flight"), options["by"]
    starts = [task.start for task in tasks if task.start is not None]
    low: int = options["since"] if "since" in options else min(starts, default=as_of)
    high = min(options.get("until", as_of), as_of)
    if "worker_node" in by:
        tasks = [task for task in tasks if not _only_coordinated(task.row)]
    members = exploded(made, tasks, options)
    members = [task for task in members if "worker_node" not in by or task.row["worker_node"] is not None]
    all_spans = list(spans(options, low, high))
    inside = [task for task in members if overlapping([task], low, high)]
    keys = {tuple(task.value(name) for name in by) for task in inside} | (set() if by else {()})
    nodes = _nodes(made, options)
    keys |= {(node,) for node in nodes} if by == ["worker_node"] else set()
    found: dict[tuple[Any, ...], Row] = {}
    for key in keys:
        mine = [task for task in members if tuple(task.value(name) for name in by) == key]
        for first, begin, end in all_spans:
            row = _period(overlapping(mine, begin, end), options, begin, end)
            if not overlapping(mine, begin, end) and _read_before(made, options, key, nodes, begin):
                row |= dict.fromkeys(("mean_in_flight", "peak_in_flight"))
            if "worker_node" in by:
                row["node_name"] = made.context.names().get(key[by.index("worker_node")])
            found[*key, first] = row
    return found


def _period(tasks: list[Task], options: dict[str, Any], begin: int, end: int) -> Row:
    ended = [task for task in tasks if _ends_here(task, options, end)]
    created = [task for task in tasks if task.start is not None and task.start >= begin]
    load = _load([task for task in tasks if not _only_coordinated(task.row)], options, begin, end)
    if tasks and load["mean_in_flight"] is not None:
        readable = any(task.as_of > begin for task in tasks)
        load["mean_in_flight"] = load["mean_in_flight"] if readable else None
    return {
        "created": len(created),
        "completed": sum(task.outcome in COMPLETED for task in ended),
        "failed": sum(task.outcome == "failed" for task in ended),
        "cancelled": sum(task.outcome == "cancelled" for task in ended),
        "open": sum(task.outcome == "open" for task in created),
        "mean_in_flight": load["mean_in_flight"],
        "peak_in_flight": load["peak_in_flight"],
    }


def _read_before(made: Made, options: dict[str, Any], key: tuple[Any, ...], nodes: dict[str, int], begin: int) -> bool:
    """Tell whether the node, else the cluster, of a row was read before a period began."""
    by, readings = options["by"], made.context.readings
    ends = {reading.cluster: int(options.get("as_of", reading.as_of_ms or 0)) for reading in readings}
    others = ends[readings[0].cluster]
    if "worker_node" in by:
        node = key[by.index("worker_node")]
        return bool((options.get("as_of", nodes[node]) if node in nodes else others) <= begin)
    return "cluster" in by and bool(ends.get(key[by.index("cluster")], others) <= begin)


def _with_expected(rows: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    """Add the failures to expect in each row, by the rate of each kind of task in all rows."""
    finished = [flags for row in rows.values() for flags in row["finished"]]
    kinds = {kind: [failed for other, failed in finished if other == kind] for kind, _ in finished}
    for row in rows.values():
        expected = sum(sum(kinds[kind]) / len(kinds[kind]) for kind, _ in row.pop("finished"))
        row["expected_failed"] = None if row.pop("is_unknown", False) else expected
    return rows


def _workers(made: Made, tasks: list[Task], options: dict[str, Any], low: int, high: int) -> dict[Any, Row]:
    by = options["by"]
    known = [task for task in tasks if not _only_coordinated(task.row)]
    groups: dict[tuple[Any, ...], list[Task]] = {} if by else {(): []}
    idle = _known_keys(made, options, by) if {"worker_node"} <= set(by) <= {"worker_node", "cluster"} else {}
    groups |= {key: [] for key in idle}
    for task in exploded(made, known, options):
        if "worker_node" not in by or task.row["worker_node"] is not None:
            groups.setdefault(tuple(task.value(key) for key in by), []).append(task)
    rows = {key: _load(members, options, low, high) for key, members in groups.items()}
    for key, read in idle.items():
        if not groups[key] and options.get("as_of", read) <= low < high:
            loads = ("task_s", "active_s", "mean_in_flight", "peak_in_flight")
            rows[key] |= {"is_unknown": True, **dict.fromkeys(loads)}
    total = sum(row["task_s"] or 0 for row in rows.values())
    for key, row in rows.items():
        row["task_share"] = None if row["task_s"] is None or not total else row["task_s"] / total
        if "worker_node" in by:
            row["node_name"] = made.context.names().get(key[by.index("worker_node")])
    return rows


def _only_coordinated(row: Row) -> bool:
    return row["task_type"] in ("REGISTER_MODEL", "UPLOAD_MODEL") and row["function_name"] == "REMOTE"


def _nodes(made: Made, options: dict[str, Any]) -> dict[str, int]:
    """Return the known nodes that the filters let pass, and when their cluster was read."""
    cluster, word = options.get("cluster", "").lower(), options.get("node", "").lower()
    readings = [reading for reading in made.context.readings if cluster in ("", reading.cluster)]
    return {
        node: reading.as_of_ms or 0
        for reading in readings
        for node, known in (reading.nodes or {}).items()
        if word in node or word in known.name
    }


def _known_keys(made: Made, options: dict[str, Any], by: list[str]) -> dict[tuple[Any, ...], int]:
    """Return the keys of the rows of known nodes, and when their cluster was read."""
    nodes = _nodes(made, options)
    of = {node: reading.cluster for reading in made.context.readings for node in reading.nodes or {}}
    return {tuple(of[node] if name == "cluster" else node for name in by): read for node, read in nodes.items()}


def _load(tasks: list[Task], options: dict[str, Any], low: int, high: int) -> Row:
    lives: list[tuple[int, int]] = []
    means: dict[int, float] = {}
    for task in tasks:
        end_of_window = min(high, task.as_of)
        if end_of_window > low:
            means.setdefault(end_of_window, 0)
        if task.start is None or task.end is None or task.row["task_type"] == "BATCH_PREDICTION":
            continue
        if task.status in ("clock_skew", "implausible"):
            continue
        begin, end = max(task.start, low), min(max(task.end, task.start + 1), end_of_window)
        if begin < end:
            lives.append((begin, end))
            means[end_of_window] += (end - begin) / (end_of_window - low)
    edges = sorted({edge for life in lives for edge in life})
    pieces = [(at, to, sum(begin <= at < end for begin, end in lives)) for at, to in pairwise(edges)]
    done = [task for task in tasks if task.outcome in (*COMPLETED, "failed") and _ends_here(task, options, high)]
    failed = sum(task.outcome == "failed" for task in done)
    still_open = sum(task.outcome == "open" for task in tasks)
    early = "every" in options and still_open > 0.05 * len(tasks)
    no_rate = early or "reason" in options["by"]
    mean = (0.0 if high > low else None) if not tasks else sum(means.values()) if means else None
    return {
        "tasks": len(tasks),
        "completed": len(done) - failed,
        "failed": failed,
        "overdue": sum(task.overdue for task in tasks),
        **(dict.fromkeys(RATES) if no_rate else rates(failed, len(done) - failed)),
        "finished": [((task.row["task_type"], task.row["function_name"]), task.outcome == "failed") for task in done],
        "task_s": sum(end - begin for begin, end in lives) / 1000,
        "active_s": sum(to - at for at, to, level in pieces if level) / 1000,
        "mean_in_flight": mean,
        "peak_in_flight": max((level for _, _, level in pieces), default=0),
    }


def _ends_here(task: Task, options: dict[str, Any], high: int) -> bool:
    """Tell whether a finished task ended in the period that ends at `high`, or when its cluster was read."""
    return "every" not in options or high >= task.as_of or task.end is None or task.end <= high


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
