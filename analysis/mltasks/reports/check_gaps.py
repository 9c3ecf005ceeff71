"""What a rule that counts rows cannot know: rows that have no such value for certain, and may have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from mltasks.reports import history, models, unfinished
from mltasks.reports.rules import Rule, read_values

UNKNOWN = "unknown"  # the verdict of models that have none


class Gap(NamedTuple):
    """How many rows may be meant by a rule beside those that are, why, and whether that alone is a breach."""

    rows: int
    reason: str
    is_breach: bool = False


def select_rows(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Return the rows whose columns have the values that a rule looks for."""
    for name in rule.equals:
        table = table[table[name].isin(read_values(rule, name))]
    return table


def find_gap(rule: Rule, table: pd.DataFrame, notes: Sequence[str]) -> Gap | None:
    """Return what the table of a rule, and the notes of its report, cannot tell; None where they tell all.

    More open tasks than are judged are a breach: a cluster with so many is not healthy.
    """
    verdicts, statuses = read_values(rule, "verdict"), read_values(rule, "status")
    if rule.report == "unfinished":
        endings = (unfinished.WITHOUT_WAITING,) if not verdicts or "waiting" in verdicts else ()
        if many := next((n for n in notes if n.startswith(unfinished.UNTOLD) or n.endswith(endings)), None):
            return Gap(0, many, is_breach=True)
        if "lost" in verdicts and (unproven := _find_first(notes, unfinished.UNPROVEN)):
            return Gap(int(table["verdict"].isin(unfinished.NOT_LOST).sum()), unproven)
    if rule.report == "models" and verdicts and UNKNOWN not in verdicts:
        unknown = int((table["verdict"] == UNKNOWN).sum())
        if _find_first(notes, models.NOT_READ):
            return Gap(max(unknown, 1), models.NOT_READ)
        return Gap(unknown, "the index of models has some no longer") if unknown else None
    if rule.report == "errors" and "new" in statuses and (too_short := _find_first(notes, history.TOO_SHORT)):
        return Gap(len(table), too_short)
    return None


def _find_first(notes: Sequence[str], begin: str) -> str | None:
    return next((note for note in notes if note.startswith(begin)), None)
