"""What is pushed down selects at least what the filters select."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest

from mltasks.opensearch import query_dsl
from mltasks.tasks import filter_options, letter_case


def patterns(word: str) -> list[str]:
    """Return how the query for a function name matches the keyword: a text, or one with `?` for any letter."""
    query: Any = query_dsl.query(filter_options.parse({"function_name": word}, None), None, window="created")
    (any_of,) = query["bool"]["filter"]
    (either,) = any_of["bool"]["should"]
    (kind,) = {kind for each in either["bool"]["should"] for kind in each}
    return [each[kind]["function_name"]["value"] for each in either["bool"]["should"] if "function_name" in each[kind]]


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("kmeans", ["KMEANS", "kmeans", "\u212aMEANS"]),
        ("fit_rcf", ["FIT_RCF", "F\u0130T_RCF"]),
        ("remote", ["REMOTE"]),
        ("agent", ["AGENT"]),
    ],
)
def test_a_pushed_down_word_matches_whatever_folds_to_it(word: str, values: list[str]) -> None:
    (pattern,) = patterns(word)
    for value in values:
        assert letter_case.fold(value) == word
        lowered = "".join(char.lower() if char.isascii() else char for char in value)  # the index knows no more
        assert fnmatch.fnmatchcase(lowered, pattern)


def test_what_stands_for_other_letters_is_a_letter_in_a_word() -> None:
    assert patterns("k*?\\") == ["?\\*\\?\\\\"]
    assert patterns("a*") == ["a*"]  # an exact term
