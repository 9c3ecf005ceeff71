"""4 550 made-up tasks of two weeks, 7 to 21 November 2026, in which changes at 2026-11-14 00:00 UTC are planted.

TRAINING/LOGISTIC_REGRESSION fails .03 -> .15, DEPLOY_MODEL/REMOTE .20 -> .04, REGISTER_MODEL/TEXT_EMBEDDING takes
1.8 times as long, AGENT_EXECUTION has a longer tail, TRAINING/LINEAR_REGRESSION has one burst of 40 failures within
three minutes, TRAINING/FIT_RCF fails on node C, TRAINING/KMEANS does not change.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

import mltasks

PATH = Path(__file__).parents[1] / "data" / "labelled-14d.ndjson.gz"
SPLIT_MS = 1_794_614_400_000


@cache
def load() -> pd.DataFrame:
    """Return the tasks; do not change them."""
    return mltasks.load(str(PATH))


def finished(function_name: str, task_type: str) -> tuple[pd.Series[int], pd.Series[bool]]:
    """Return create_time [ms], in its order, and whether each failed, of the finished tasks of one kind."""
    tasks = load()
    rows = tasks[(tasks["function_name"] == function_name) & (tasks["task_type"] == task_type)]
    rows = rows[rows["outcome"] != "open"].sort_values("create_time")
    return rows["create_time"].astype("int64"), rows["outcome"] == "failed"
