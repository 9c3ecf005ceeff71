"""What a change is called: in what something got worse, wherever the word stands."""

from __future__ import annotations

import pandas as pd
import pytest

from mltasks.render import page_rows
from mltasks.reports import compare_evidence, verdict_line
from mltasks.reports.declarations.compare import VERDICTS


@pytest.mark.parametrize(
    ("rate", "p50", "p95", "verdict", "words"),
    [
        ("worse", "same", "same", "worse", "fails more"),
        ("worse", "worse", "worse", "worse", "fails more, slower"),
        ("worse", "better", "same", "worse", "fails more"),
        ("same", "worse", "worse", "worse", "slower"),
        ("same", "same", "worse", "worse", "p95 slower"),
        ("same", "worse?", "unclear", "worse?", "slower?"),
        ("better", "better", "same", "better", "fails less, faster"),
        ("same", "unclear", "too few", "unclear", "unclear"),
        ("too few", "too few", "too few", "too few", "too few"),
    ],
)
def test_a_verdict_says_what_it_is_of(rate: str, p50: str, p95: str, verdict: str, words: str) -> None:
    row = {"rate_verdict": rate, "p50_verdict": p50, "p95_verdict": p95, "verdict": verdict}
    assert compare_evidence.name_change(row) == words


def test_each_word_for_a_change_has_its_colour() -> None:
    levels = {word: level for level, words in page_rows.BADGES.items() for word in words}
    for changes in compare_evidence.CHANGES.values():
        for verdict, word in changes.items():
            assert levels[word] == ("bad" if verdict == "worse" else "good")
            assert levels[f"{word}?"] == ("warn" if verdict == "worse" else "good")
    assert not {*VERDICTS} & {*levels}


@pytest.mark.parametrize(
    ("reasons", "sentence"),
    [
        (["fails more than before: x"], "1 function fails more than before."),
        (["fails more, slower than before: x"] * 2, "2 functions fail more than before."),
        (["slower than before: x"], "1 function is slower than before."),
        (["p95 slower than before: x"] * 3, "3 functions are slower than before."),
        (["fails more than before: x", "slower than before: x"], "1 function fails more and 1 is slower than before."),
    ],
)
def test_the_sentence_of_the_page_says_how_many_fail_more_and_how_many_are_slower(
    reasons: list[str], sentence: str
) -> None:
    table = pd.DataFrame({"kind": "worse", "count": 1, "reason": pd.Series(reasons, dtype="str")})
    assert verdict_line.write_verdict(table).text == sentence


def test_a_part_of_the_sentence_that_has_an_and_stands_behind_a_comma() -> None:
    reasons = ["new: 3 tasks", "fails more than before: x", "slower than before: x"]
    table = pd.DataFrame({"kind": ["new_error", "worse", "worse"], "count": 1, "reason": pd.Series(reasons)})
    assert verdict_line.write_verdict(table).text == (
        "1 error is new, and 1 function fails more and 1 is slower than before."
    )
