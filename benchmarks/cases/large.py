"""One report on a Dataset that is pickled beside its files: PICKLE REPORT."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases.case import measure
from mltasks.render import page
from mltasks.reports import durations, failures, workers

REPORTS: dict[str, Callable[[Any], Any]] = {
    "durations": durations.durations,
    "failures": failures.failures,
    "failures by day": lambda tasks: failures.failures(tasks, every="1d"),
    "durations by node": lambda tasks: durations.durations(tasks, by="worker_node"),
    "workers": workers.workers,
    "workers by day": lambda tasks: workers.workers(tasks, every="1d"),
    "page": lambda tasks: page.report(tasks).html().splitlines(),
}


def read(path: str) -> int:
    """Return how many rows a report has."""
    tasks = pickle.loads(Path(path).read_bytes())
    return len(REPORTS[sys.argv[2]](tasks))


if __name__ == "__main__":
    measure(read, None)
