"""The highlights in one sentence: how it stands, and the three things that weigh most."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandas as pd

from mltasks.tasks.plural import plural

Level = Literal["none", "good", "warn", "bad"]
BAD = ("incomplete", "lost", "model_down", "never_succeeded", "failing")  # kinds that cannot wait
MOST = 3  # things that a sentence names


class Verdict(NamedTuple):
    """How it stands, in one sentence."""

    level: Level
    text: str


def write_verdict(highlights: pd.DataFrame) -> Verdict:
    """Return the verdict of the report `highlights`."""
    kinds = list(dict.fromkeys(highlights["kind"]))
    if not kinds:
        return Verdict("good", "Nothing found that needs attention.")
    counts = highlights["count"].astype("float64") if "count" in highlights else highlights["kind"].map({})
    parts = [_describe(kind, counts[highlights["kind"] == kind]) for kind in kinds]
    rest = len(kinds) - MOST
    named = parts if rest < 2 else parts[:MOST]
    text = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    more = f"; and {rest} other things" if rest > 1 else ""
    return Verdict("bad" if {*kinds} & {*BAD} else "warn", f"{text[0].upper()}{text[1:]}{more}.")


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
        "worse": f"{rows:,} {'function' if rows == 1 else 'functions'} got worse",
        "silence": "nothing is created any more",
        "most_failures": f"{total:,} failures are of one function",
    }
    return sentences.get(kind, f"{rows:,} x {kind.replace('_', ' ')}")
