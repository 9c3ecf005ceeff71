"""Which groups need attention: what never succeeded, what is failing, and what is most of all failures."""

from __future__ import annotations

import re

import pandas as pd

from mltasks.reports.failing import is_failing

NEVER, FAILING, MOST = "never succeeded", "failing", "most failures"
SHARE = 1 / 3  # of all failures, beyond which a group is named
FEWEST = 10  # failures in all, below which no group is most of them
DOUBT = re.compile(r"^[0-9]+ open tasks? overdue: |\bINCOMPLETE\b")


def find_doubts(notes: list[str]) -> list[str]:
    """Return the notes that make a whole report doubtful: it is incomplete, or open tasks are overdue."""
    return [note for note in notes if DOUBT.search(note)]


def find_groups(failures: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `failures` that need attention, each once, with `kind`, the most pressing first.

    First what never succeeded, the most failures first; then what is failing, the longest run first; then what has
    more than a third of all failures.
    """
    never = (failures["completed"] == 0) & (failures["failed"] >= 2)
    failing = is_failing(failures["completed"], failures["failed"], failures["failures_in_a_row"]) & ~never
    total = failures["failed"].sum()
    most = (failures["failed"] > SHARE * total) & (total >= FEWEST) & (len(failures) > 1) & ~never & ~failing
    parts = [
        failures[never].sort_values("failed", ascending=False, kind="stable").assign(kind=NEVER),
        failures[failing].sort_values("failures_in_a_row", ascending=False, kind="stable").assign(kind=FAILING),
        failures[most].assign(kind=MOST, share=lambda rows: rows["failed"] / max(total, 1)),
    ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts) if parts else failures.head(0).assign(kind="")
