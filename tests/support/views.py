"""Tables as reports give them, made up; and texts that somebody would like to have obeyed."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from mltasks.render.view import View
from mltasks.reports.report_info import ReportInfo, with_info

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "bell\x07",
    "\x9b31m",
    "user\u202etxt.exe",
    "\u2066isolated\u2069",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "-rf",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg></style><b>",
    "a|b`c`",
    "[link](http://evil.example) https://evil.example www.evil.example",
    "**bold** _x_ # $x^2$ <b>",
    "two\nlines\u2028three",
    "語" * 60,
    "x" * 200,
    "[bold]rich[/bold] :smile:",
    "\ufffe\x00\uffff",
)
ALPHABET = "<>\"'&=/!-+@|`*_[]()#$~\\\t\r\n \x1b\x07\x9b\u202e\u2066\u200b\ufeff\ufffe:.wshtp09aZ語"


def texts(max_size: int = 30) -> st.SearchStrategy[str]:
    """Return texts that are markup, formulas, escapes or anything else."""
    return (
        st.sampled_from(HOSTILE)
        | st.text(ALPHABET, max_size=max_size)
        | st.text(st.characters(codec="utf-8"), max_size=max_size)
    )


def obeyed(text: str) -> set[str]:
    """Return the letters of a text that a terminal obeys, or that turn other letters around or hide."""
    bidi = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return {
        letter
        for letter in text
        if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(letter) in bidi
        or letter in "\u200b\u200e\u200f\ufeff\ufffe\uffff"
    }


def info(**changes: Any) -> ReportInfo:
    """Return what a report of three tasks says of itself."""
    said: dict[str, Any] = {
        "report": "made up",
        "as_of_ms": 1764028800000,  # 2025-11-25 00:00
        "as_of_assumed": False,
        "sources": ["somewhere"],
        "filters": {},
        "tasks": 3,
        "first_ms": 1764021600000,  # 2025-11-24 22:00
        "last_ms": 1764025200000,  # 2025-11-24 23:00
    }
    return ReportInfo(**said | changes)


def view(frame: pd.DataFrame, keys: Sequence[str] = (), **changes: Any) -> View:
    """Return a table as it is shown."""
    said = info(keys=list(keys), **changes)
    return View(with_info(frame.copy(), said), said)


def failures(names: Sequence[str]) -> pd.DataFrame:
    """Return the failures of groups with these names; in each, one of two tasks failed."""
    return pd.DataFrame(
        {
            "task_type": pd.Series(list(names), dtype="str"),
            "tasks": 2,
            "completed": 1,
            "partial": 0,
            "failed": 1,
            "cancelled": 0,
            "open": 0,
            "failure_rate": 0.5,
            "failure_rate_low": 0.1,
            "failure_rate_high": 0.9,
            "last_success": pd.Timestamp("2025-11-24 23:00", tz="UTC"),
            "failing_since": pd.Timestamp("2025-11-24 23:30", tz="UTC"),
            "failures_in_a_row": 1,
        }
    )


def times(*texts: str | None) -> "pd.Series[pd.Timestamp]":
    """Return times in UTC, as a report has them."""
    return pd.to_datetime(pd.Series(texts, dtype="str"), utc=True, format="ISO8601")
