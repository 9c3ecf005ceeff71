"""Groups whose failure rate or percentiles would mislead: they have none, and a note says why."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from mltasks.engines.dataset import Tasks
from mltasks.tasks import schema

RATES = ("failure_rate", "failure_rate_low", "failure_rate_high")
MOST_OPEN = 0.05  # of the tasks of a period
WITHOUT_MODEL = ("TRAINING", *schema.REGISTRATIONS)  # have a model_id only after they succeeded


def needs_model(tasks: Tasks) -> bool:
    """Tell whether tasks are selected or grouped by their model."""
    return "model_id" in tasks.keys or "model" in {**tasks.context.filters, **tasks.filters.describe()}


def without_rates(table: pd.DataFrame, tasks: Tasks, nameless: Collection[int] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Return the table without the rates of groups of which only successes are there to be counted, and why.

    `nameless`: the index of the groups with tasks that have a model_id only after they succeeded.
    """
    if "reason" in tasks.keys:
        return _blank(table, table.index, RATES), ["no failure rates by reason: only what failed has a reason"]
    rows = list(nameless) if needs_model(tasks) else []
    if not rows:
        return table, []
    note = "no failure rates by model of trainings and registrations: they have a model_id only after they succeeded"
    return _blank(table, rows, RATES), [note]


def without_unfinished(
    table: pd.DataFrame, columns: Sequence[str], what: str, of: str = "tasks"
) -> tuple[pd.DataFrame, list[str]]:
    """Return the table of periods without what is not settled yet: more than 5 % of the tasks are open."""
    early = (table["open"] > MOST_OPEN * table[of]) & table[list(columns)].notna().any(axis="columns")
    if not early.any():
        return table, []
    n = int(early.sum())
    rows = "1 row" if n == 1 else f"{n} rows"
    note = f"no {what} in {rows}: more than 5 % of the tasks of the period are open, and failures end before successes"
    return _blank(table, table.index[early], columns), [note]


def _blank(table: pd.DataFrame, rows: Collection[object], columns: Sequence[str]) -> pd.DataFrame:
    blank = pd.Series(table.index.isin(list(rows)), index=table.index)
    return table.assign(**{name: table[name].mask(blank) for name in columns})
