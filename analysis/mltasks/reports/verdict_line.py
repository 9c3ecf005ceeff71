"""The highlights in one sentence: how it stands, and the three things that weigh most."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandas as pd

from mltasks.reports import compare_evidence, report_info
from mltasks.reports.highlights import list_untold
from mltasks.tasks.plural import plural

Level = Literal["none", "good", "warn", "bad"]
BAD = ("incomplete", "lost", "model_down", "never_succeeded", "failing")  # kinds that cannot wait
WORSE = "worse"
MOST = 3  # things that a sentence names


class Verdict(NamedTuple):
    """How it stands, in one sentence."""

    level: Level
    text: str


def write_verdict(highlights: pd.DataFrame) -> Verdict:
    """Return the verdict of the report `highlights`."""
    kinds = list(dict.fromkeys(highlights["kind"]))
    if not kinds:
        notes = report_info.read_info(highlights).notes if report_info.KEY in highlights.attrs else []
        if list_untold(notes):
            return Verdict("none", "Nothing found that needs attention in what could be looked at.")
        return Verdict("good", "Nothing found that needs attention.")
    counts = highlights["count"].astype("float64") if "count" in highlights else highlights["kind"].map({})
    parts = [
        _describe_worse(highlights["reason"][highlights["kind"] == kind])
        if kind == WORSE
        else _describe(kind, counts[highlights["kind"] == kind])
        for kind in kinds
    ]
    rest = len(kinds) - MOST
    named = parts if rest < 2 else parts[:MOST]
    joined = ", and" if " and " in named[-1] else " and"
    text = named[0] if len(named) == 1 else f"{', '.join(named[:-1])}{joined} {named[-1]}"
    more = f"; and {rest} other things" if rest > 1 else ""
    return Verdict("bad" if {*kinds} & {*BAD} else "warn", f"{text[0].upper()}{text[1:]}{more}.")


def _describe_worse(reasons: pd.Series[str]) -> str:
    """Return how many functions fail more often than before, and how many of the others are slower."""
    rates = int(reasons.str.startswith(compare_evidence.FAILS_MORE).sum())
    slower = len(reasons) - rates
    parts = [f"{rates:,} {'function fails' if rates == 1 else 'functions fail'} more"] if rates else []
    if slower:
        first = "" if rates else f" {'function' if slower == 1 else 'functions'}"
        parts.append(f"{slower:,}{first} {'is' if slower == 1 else 'are'} slower")
    return f"{' and '.join(parts)} than before"


def _describe(kind: str, counts: pd.Series[float]) -> str:
    total, rows = int(counts.fillna(0).sum()), len(counts)
    is_one = "is" if total == 1 else "are"
    sentences = {
        "incomplete": "the data is incomplete",
        "old": "the data is old",
        "lost": f"{total:,} {plural(total)} {is_one} lost",
        "overdue": f"{total:,} {plural(total)} {is_one} overdue",
        "suspect": f"{total:,} {plural(total)} {is_one} open for unusually long",
        "model_down": f"{total:,} {'model is' if total == 1 else 'models are'} not up",
        "never_succeeded": f"{total:,} {plural(total)} failed where none ever succeeded",
        "failing": f"{rows:,} {'function keeps' if rows == 1 else 'functions keep'} failing",
        "new_error": f"{rows:,} {'error is' if rows == 1 else 'errors are'} new",
        "silence": "nothing is created any more",
        "most_failures": f"{total:,} failures are of one function",
    }
    return sentences.get(kind, f"{rows:,} x {kind.replace('_', ' ')}")
