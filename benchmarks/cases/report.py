"""One report on one Parquet file: FILE REPORT pandas|duckdb ours|hand.

On pandas the tasks are in memory when the time begins; on DuckDB it begins with the file, for pandas by hand as well.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd

import mltasks
from benchmarks import by_hand
from benchmarks.cases.case import measure
from mltasks.reports import durations, failures, workers

REPORTS: dict[str, tuple[Any, dict[str, str]]] = {
    "durations": (durations.durations, {}),
    "failures": (failures.failures, {}),
    "failures by day": (failures.failures, {"every": "1d"}),
    "workers": (workers.workers, {}),
}


def rows(table: pd.DataFrame) -> Any:
    """Return a small table as JSON has it."""
    return json.loads(table.to_json(orient="records", date_format="iso", double_precision=15))


def ours(tasks: Any, name: str) -> Any:
    """Return the rows of a report."""
    report, options = REPORTS[name]
    return rows(report(tasks, **options))


def hand(tasks: pd.DataFrame, name: str, known: mltasks.Context) -> Any:
    """Return the rows of the same numbers by hand."""
    as_of = pd.Timestamp(known.as_of_ms or 0, unit="ms", tz="UTC")
    timeout = pd.Timedelta(seconds=known.readings[0].timeout_s)
    return rows(by_hand.REPORTS[name](tasks, as_of, timeout))


if __name__ == "__main__":
    path, name, engine, who = sys.argv[1:]
    known = mltasks.scan(path).context
    nw.from_native(pd.DataFrame()).lazy().collect()  # narwhals imports what an engine takes when it first sees one
    nw.from_native(duckdb.connect().sql("SELECT 1")).collect()
    if engine == "duckdb":
        columns = by_hand.COLUMNS[name.split()[0]]
        if who == "ours":
            measure(lambda path: ours(mltasks.scan(path), name), None)
        else:
            measure(lambda path: hand(pd.read_parquet(path, columns=columns), name, known), None)
    else:
        tasks = mltasks.load(path)
        measure((lambda _: ours(tasks, name)) if who == "ours" else (lambda _: hand(tasks, name, known)), None)
