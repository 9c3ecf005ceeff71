"""A report in a notebook and in a console."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return mltasks.failures(mltasks.load("demo"), by="task_type")


def test_a_console_shows_what_the_command_shows(table: pd.DataFrame) -> None:
    lines = repr(mltasks.show(table, top=1)).splitlines()
    assert lines[0].startswith("552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all)")
    assert lines[4].split()[:2] == ["TRAINING", "306"]
    assert lines[5] == "- top 1 of 5 rows, by failed; all: --top 0"


def test_a_notebook_shows_figure_table_and_notes_in_an_element_of_their_own(table: pd.DataFrame) -> None:
    fragment = mltasks.show(table)._repr_html_()
    assert fragment.startswith('<div class="mltasks">')
    assert fragment.count("<figure") == fragment.count("<table>") == 1
    assert "24.7%" in fragment
    assert "rates are over recorded tasks" in fragment


def test_a_text_is_returned_and_not_displayed_where_the_terminal_is_a_notebook(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = repr(mltasks.show(table))
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert repr(mltasks.show(table)) == plain


def test_a_table_that_no_report_has_made_is_refused() -> None:
    with pytest.raises(UsageError, match="show: the table says nothing of itself; give what a report such as"):
        mltasks.show(pd.DataFrame({"tasks": [1]}))


def test_counts_that_are_zero_in_all_rows_are_left_out_and_an_interval_has_no_text_beside_it() -> None:
    html = str(mltasks.show(mltasks.failures("demo", task_type="TRAINING"))._repr_html_())
    names = re.findall(r"<th [^>]*>([^<]+)</th>", html)
    assert names[:6] == ["task type", "function name", "tasks", "completed", "failed", "open"]
    assert "95 % interval" in names
    assert not re.search(r"–\s*<svg", html)
    assert "currentColor" in html  # the figure has the colours of where it stands
    assert "#000000" not in html
