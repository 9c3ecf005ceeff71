"""Whether a group fails now, by how improbable its run of failures is; and how many failures were to be expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

IMPROBABLE = 0.01
NEVER = 2  # failures after which a group that never succeeded is said to be failing


def is_failing(completed: Any, failed: Any, in_a_row: Any) -> pd.Series[bool]:
    """Tell which groups are failing now.

    Either a group never succeeded, at least 2 having failed, or a run of failures as long as that since its last
    success has a chance below 0.01 at its own rate before: p**in_a_row with p = (failed + 0.5) / (finished + 1) of the
    tasks before the run.
    """
    counts = pd.DataFrame({"completed": completed, "failed": failed, "run": in_a_row}).astype("float64").fillna(0)
    before = (counts["failed"] - counts["run"] + 0.5) / (counts["completed"] + counts["failed"] - counts["run"] + 1)
    never = (counts["completed"] == 0) & (counts["failed"] >= NEVER)
    return never | ((counts["run"] > 0) & (counts["completed"] > 0) & (before ** counts["run"] < IMPROBABLE))


def count_expected_failures(node_counts: pd.DataFrame, node: str, kind: list[str]) -> pd.DataFrame:
    """Return one row per node: its failures, how many were to be expected of its tasks, and the difference as `z`.

    `node_counts`: one row per node and kind of task (such as its task_type and function_name) with `failed` and
    `finished`. Expected is the sum over the node's tasks of the failure rate of their kind on all nodes, so that a
    node with harder work is not blamed; z = (failed - expected) / sqrt(sum p (1 - p)), missing where that sum is 0.
    """
    rows = node_counts[[node, *kind, "failed", "finished"]]
    kinds = rows.groupby(kind, dropna=False, observed=True)
    share = kinds["failed"].transform("sum") / kinds["finished"].transform("sum").where(lambda n: n > 0)
    rows = rows.assign(
        expected_failed=(share * rows["finished"]).fillna(0.0),
        variance=(share * (1 - share) * rows["finished"]).fillna(0.0),
    )
    sums = rows.groupby(node, dropna=False, observed=True)[["failed", "expected_failed", "variance"]].sum()
    z = (sums["failed"] - sums["expected_failed"]) / np.sqrt(sums["variance"].where(sums["variance"] > 0))
    return sums.drop(columns="variance").assign(z=z).reset_index()
