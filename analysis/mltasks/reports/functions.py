"""How often tasks fail and how long they take in one table, with what has changed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mltasks.reports import compare_evidence, report_info
from mltasks.reports.failing import is_failing

TIMES = ("measured", "p50_s", "p95_s", "p99_s", "max_s", "wait_s", "run_s", "wait_share")
CHANGES = ("change", "change_evidence")
WORST = ("failed", "failure_rate", "tasks")


def join_functions(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the report `failures`, the most failures first, beside it the columns of `durations` and `compare`.

    `is_failing`: it never succeeded, or its run of failures is improbable at its own rate.
    """
    table = tables["failures"]
    info = report_info.read_info(table)
    keys = [key for key in info.keys if key in table]
    for name, columns in (("durations", TIMES), ("compare", CHANGES)):
        if name in tables and keys and {*keys} <= {*tables[name].columns}:
            other = _name_changes(tables[name]) if name == "compare" else tables[name]
            table = table.merge(other[[*keys, *columns]], on=keys, how="left")
    is_bad = is_failing(table["completed"], table["failed"], table["failures_in_a_row"])
    table = table.assign(is_failing=is_bad)
    table = table.sort_values([name for name in WORST if name in table], ascending=False, kind="stable")
    return report_info.with_info(table.reset_index(drop=True), report_info.rename(info, "functions", keys))


def _name_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the report `compare` with its verdicts in words that say what they are of."""
    rows = [{str(name): value for name, value in row.items()} for row in changes.to_dict("records")]
    words = pd.Series([compare_evidence.name_change(row) for row in rows], index=changes.index, dtype="str")
    return changes.assign(change=words, change_evidence=changes["evidence"])
