"""What a verdict of `compare` means, and what speaks for it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mltasks.reports import percent, verdicts
from mltasks.tasks.plural import count_of

QUANTILES = {"p50": "median", "p95": "95th percentile"}

FAILS_MORE, SLOWER, TAIL_SLOWER = "fails more", "slower", "p95 slower"
CHANGES: Mapping[str, Mapping[str, str]] = {  # by the measure that the verdict is of
    "rate": {verdicts.WORSE: FAILS_MORE, verdicts.BETTER: "fails less"},
    "p50": {verdicts.WORSE: SLOWER, verdicts.BETTER: "faster"},
    "p95": {verdicts.WORSE: TAIL_SLOWER, verdicts.BETTER: "p95 faster"},
}


def name_change(row: Mapping[str, Any]) -> str:
    """Return the verdict in the words of what it is of, such as "fails more, slower"; others as they are."""
    verdict = str(row["verdict"])
    if verdict not in verdicts.TOLD:
        return verdict
    plain, doubt = verdict.rstrip("?"), "?" * verdict.endswith("?")
    measures = [name for name in CHANGES if row[f"{name}_verdict"] == verdict]
    if "p50" in measures and "p95" in measures:
        measures.remove("p95")
    return ", ".join(f"{CHANGES[name][plain]}{doubt}" for name in measures)


def describe(row: Mapping[str, Any]) -> str | None:
    """Return what speaks for the verdict, in words: the measure that it is of, and its change."""
    for name in ("rate", *QUANTILES):
        if row[f"{name}_verdict"] == row["verdict"]:
            return _rate_in_words(row) if name == "rate" else _quantile_in_words(row, name)
    return None


def _rate_in_words(row: Mapping[str, Any]) -> str | None:
    if row["rate_change"] != row["rate_change"]:
        return f"{count_of(row['tasks_before'])} before, {row['tasks_after']:,} after"
    points, low, high = (
        percent.percent_points(row[f"rate_{name}"]) for name in ("change", "change_low", "change_high")
    )
    since = pd.Timestamp(row["changed"], unit="ms") if row["changed"] == row["changed"] else None
    when = f", since {since:%Y-%m-%d %H:%M} UTC" if since is not None else ""
    rates = f"{percent.percent(row['rate_before'])} -> {percent.percent(row['rate_after'])}"
    return f"failure rate {rates}: {points} points ({low} to {high}){when}"


def _quantile_in_words(row: Mapping[str, Any], name: str) -> str:
    label = QUANTILES[name]
    value, low, high = (row[f"{name}_ratio{end}"] for end in ("", "_low", "_high"))
    seconds = f"{row[f'{name}_before_s']:.3g} s -> {row[f'{name}_after_s']:.3g} s"
    if value != value:
        return f"{label} {seconds}"
    return f"{label} {seconds}: x{value:.2f} ({low:.2f} to {high:.2f})"
