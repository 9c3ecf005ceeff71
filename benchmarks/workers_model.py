"""What N workers of a core would take for a report on Spark, from the stages that one worker was measured at.

All of it is of the second time in a session: Java has compiled by then what the first one needed.

    seconds = driver + the sum over all stages of max(longest part, work / N) + shuffled * (N - 1) / N / (N * NETWORK)

`driver` is what is left of the seconds on one worker when the work of its stages is taken away: plans, code that Java
compiles, what is done with the result. The model takes for granted that stages follow one another, that a worker reads
its part of the file as fast as the one that was measured, that parts can be given to any worker, and that of what is
shuffled each worker sends what others need at once, at NETWORK bytes a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NETWORK = 125e6  # bytes a second: a line of one gigabit
WORKERS = (1, 2, 4, 8, 16, 32)

Stage = Mapping[str, float]


def predict(seconds: float, stages: Sequence[Stage], workers: int) -> float:
    """Return the seconds of so many workers, from those of one and its stages."""
    driver = max(0.0, seconds - sum(stage["work_s"] for stage in stages))
    work = sum(max(stage["longest_s"], stage["work_s"] / workers) for stage in stages)
    shuffled = sum(stage["shuffled"] for stage in stages)
    return driver + work + shuffled * (workers - 1) / workers / (workers * NETWORK)


def scan_rate(stages: Sequence[Stage]) -> float:
    """Return the tasks of ML Commons that one core reads in a second: of the stages that read the file."""
    reading = [stage for stage in stages if stage["rows"]]
    return sum(stage["rows"] for stage in reading) / max(sum(stage["work_s"] for stage in reading), 1e-9)


def describe(measured: Mapping[tuple[str, int], Mapping[str, Any]]) -> str:
    """Return the model of each report and number of tasks as Markdown; `measured`: results by engine."""
    heads = ["tasks", "report", "tasks/s a core", "driver s", "work s", "shuffled MB"]
    heads += [*(f"{n} workers" for n in WORKERS), "2, measured", "DuckDB, s", "workers as fast as DuckDB"]
    lines = ["", f"| {' | '.join(heads)} |", f"|---:|---|{'---:|' * (len(heads) - 2)}"]
    for (report, size), engines in measured.items():
        one, two = engines.get("cluster[1]"), engines.get("cluster[2]")
        if one is None:
            continue
        stages, seconds = one["warm_stages"], one["warm_s"]
        work = sum(stage["work_s"] for stage in stages)
        shuffled = sum(stage["shuffled"] for stage in stages) / 1e6
        cells = [f"{size:,}", report, f"{scan_rate(stages):,.0f}", f"{seconds - work:.1f}", f"{work:.1f}"]
        cells += [f"{shuffled:,.1f}", *(f"{predict(seconds, stages, n):.1f}" for n in WORKERS)]
        duck = min((engines[name]["seconds"] for name in engines if name.startswith("duckdb")), default=None)
        cells += ["" if two is None else f"{two['warm_s']:.1f}", "" if duck is None else f"{duck:.1f}"]
        cells.append("" if duck is None else _equal(seconds, stages, duck))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _equal(seconds: float, stages: Sequence[Stage], wanted: float) -> str:
    """Return the least number of workers that are as fast as that."""
    for workers in range(1, 1001):
        if predict(seconds, stages, workers) <= wanted:
            return str(workers)
    return "never"
