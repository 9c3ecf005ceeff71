from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mltasks.render import wrap
from mltasks.render.cells import one_line
from support.views import texts


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("LOGISTIC_REGRESSION", ["LOGISTIC_", "REGRESSION"]),
        ("KMEANS", ["KMEANS"]),
        ("no such index", ["no such", "index"]),
        ("x" * 25, ["x" * 10, "x" * 10, "x" * 5]),
        ("語" * 7, ["語" * 5, "語" * 2]),
        ("", [""]),
    ],
)
def test_a_long_name_is_broken_after_its_parts(name: str, lines: list[str]) -> None:
    assert wrap.wrap_text(name, 10) == lines


@given(texts(60).map(one_line), st.integers(2, 40), st.sampled_from([wrap.PARTS, wrap.WORDS]))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text: str, width: int, parts: re.Pattern[str]) -> None:
    lines = wrap.wrap_text(text, width, parts)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_sentence_goes_on_below_its_first_word() -> None:
    assert wrap.wrap_paragraph("rates are over recorded tasks", 20, "- ") == "- rates are over\n  recorded tasks"


def test_columns_are_as_wide_as_their_widest_line() -> None:
    assert wrap.widths([["name", "KMEANS"], ["time in\nflight", "1s"]], [True, False], 80) == [6, 7]


def test_the_widest_texts_are_narrowed_first_and_numbers_never() -> None:
    columns = [["x" * 40], ["y" * 20], ["1" * 15]]
    assert wrap.widths(columns, [True, True, False], 50) == [16, 17, 15]


def test_a_table_that_cannot_be_narrow_enough_is_wider_than_asked_for_and_not_cut() -> None:
    assert wrap.widths([["x" * 40], ["1" * 30]], [True, False], 20) == [wrap.KEPT_WHOLE, 30]


def test_words_are_broken_only_where_the_table_fits_then() -> None:
    columns = [["TEXT_EMBEDDING"], ["REGISTER_MODEL"], ["1" * 30]]
    kinds = [True, True, False]
    assert wrap.widths(columns, kinds, 52) == [10, 10, 30]
    assert wrap.widths(columns, kinds, 50) == [9, 9, 30]
    assert wrap.widths(columns, kinds, 48) == [8, 8, 30]
    assert wrap.widths(columns, kinds, 40) == [9, 9, 30]


def test_without_a_width_nothing_is_narrowed() -> None:
    assert wrap.widths([["x" * 400]], [True], None) == [400]


@pytest.mark.parametrize("width", [12, 30, 60, 200])
def test_a_command_in_several_lines_is_still_one_to_a_shell(width: int) -> None:
    command = "mltasks list demo --error 'No such  index' --function-name KMEANS,AGENT"
    lines = wrap.wrap_command(command, width, "  ").split("\n")
    longest = max(len(word) for word in shlex.split(command)) + 4
    assert all(len(line) <= max(width, longest + 4) for line in lines)
    assert shlex.split(" ".join(line.removesuffix("\\") for line in lines)) == shlex.split(command)
    assert all(line.endswith(" \\") for line in lines[:-1])


def test_an_arrow_is_not_broken() -> None:
    assert wrap.wrap_text("median 19.4 s -> 34.5 s", 15) == ["median 19.4 s", "-> 34.5 s"]
