"""Open tasks in groups of one verdict and one kind, each described by its oldest task."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from mltasks.reports.declarations.unfinished import VERDICTS

KEYS = ("verdict", "task_type", "function_name")
WORST = ("lost", "overdue", "suspect")  # verdicts that come first
ORDER = (*WORST, *(verdict for verdict in VERDICTS if verdict not in WORST))
COLUMNS = (*KEYS, "tasks", "age_s", "nodes", "evidence", "remedy", "task_id")


def group_open_tasks(unfinished: pd.DataFrame) -> pd.DataFrame:
    """Return one row per verdict, task type and function of the report `unfinished`, what is lost or late first.

    The row has the oldest task's age, evidence, remedy and id; `nodes` says how many tasks each node has.
    """
    rows = unfinished.sort_values(["age_s", "task_id"], ascending=[False, True], na_position="last", kind="stable")
    groups = rows.groupby(list(KEYS), dropna=False, observed=True, sort=False)
    table = rows.loc[~rows.duplicated(list(KEYS))].set_index(groups.ngroup()[~rows.duplicated(list(KEYS))])
    table["tasks"] = groups["tasks"].sum().to_numpy()
    table["nodes"] = [_count_nodes(part["node_name"]) for _, part in groups]
    rank = table["verdict"].map(ORDER.index).astype("int64")
    order = table.assign(rank=rank).sort_values(["rank", "age_s"], ascending=[True, False], kind="stable").index
    return table.loc[order, list(COLUMNS)].reset_index(drop=True).astype({"nodes": "str", "tasks": "int64"})


def _count_nodes(names: pd.Series[str]) -> str | None:
    counts = Counter(name for names_of_one in names.dropna() for name in names_of_one.split(", "))
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common()) or None
