"""`mltasks.load`: all tasks to pandas."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

import pandas as pd

from benchmarks.cases.case import Row, measure
from mltasks import load


def rows(tasks: pd.DataFrame) -> Iterable[Row]:
    """Yield the rows of the table; its times are in ms."""
    times = (tasks[name].astype("int64") for name in ("create_time", "last_update_time"))
    return zip(tasks["task_id"], tasks["state"], *times, tasks["error"], tasks["worker_node"], strict=True)


if __name__ == "__main__":
    import_module("mltasks.opensearch.retry")  # imported when it is needed, which is not what is measured
    measure(load, rows, "mltasks", "pandas")
