"""What the verdict and the highlights of a page say is what the tables of that page show."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

import mltasks
from mltasks.render.page import Page
from mltasks.reports.verdict_line import write_verdict
from mltasks.tasks import metadata
from support import incident, labelled
from support.shown_numbers import numbers

AS_OF = "2026-11-21"


def of_two_clusters() -> pd.DataFrame:
    """Return the tasks of the incident, and each tenth of them as of another cluster with nodes of the same ids."""
    tasks = incident.load()
    context = metadata.read_attrs(tasks.attrs)
    assert context is not None
    other = tasks[tasks["task_id"].str.endswith("3")].assign(cluster="ml-test")
    both = pd.concat([tasks.astype({"cluster": "str"}), other.astype({"cluster": "str"})], ignore_index=True)
    readings = (*context.readings, *(msgspec.structs.replace(each, cluster="ml-test") for each in context.readings))
    both.attrs = {metadata.KEY: metadata.replace(context, readings=readings).to_json()}
    return both


SOURCES: dict[str, Callable[[], Any]] = {
    "demo": lambda: "demo",
    "labelled": labelled.load,
    "incident": incident.load,
    "two clusters": of_two_clusters,
}
VERDICTS = {
    "demo": "49 tasks failed where none ever succeeded.",
    "labelled": "2 errors are new, and 1 function fails more and 2 are slower than before.",
    "incident": "4 tasks are lost, 2 errors are new, and 1 function fails more and 2 are slower than before.",
    "two clusters": "5 tasks are lost, 2 errors are new, and 1 function fails more and 2 are slower than before.",
}


@cache
def page_of(source: str) -> Page:
    return mltasks.report(SOURCES[source](), as_of=None if source == "demo" else AS_OF)


def count_in_tables(page: Page) -> dict[str, int]:
    """Return what a verdict may count, by the words that it has for it, from the tables beside the highlights."""
    tables = page.tables
    rates, errors = tables["failures"], tables["errors"]
    never = rates[(rates["completed"] == 0) & (rates["failed"] > 0)]  # one failed once, with the error of others
    counts = {
        "lost": int(tables["open_groups"].query("verdict == 'lost'")["tasks"].sum()),
        "none ever succeeded": int(never["failed"].sum()),
        "new": int((errors["status"] == "new").sum()),
    }
    if "compare" in tables:
        worse = tables["compare"].query("verdict == 'worse'")
        counts["more"] = int((worse["rate_verdict"] == "worse").sum())
        counts["slower"] = len(worse) - counts["more"]
    return {words: count for words, count in counts.items() if count}


def claims(verdict: str) -> dict[str, int]:
    said = re.findall(r"([\d,]+) (?:[a-z]+ )*?(lost|none ever succeeded|new|more|slower)\b", verdict)
    return {words: int(count.replace(",", "")) for count, words in said}


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_verdict_counts_is_what_the_tables_add_up_to(source: str) -> None:
    page = page_of(source)
    verdict = write_verdict(page.tables["highlights"]).text
    assert verdict == VERDICTS[source]
    assert claims(verdict) == count_in_tables(page)


@pytest.mark.parametrize("source", SOURCES)
def test_the_numbers_above_the_tables_are_their_sums(source: str) -> None:
    tables = page_of(source).tables
    tiles = tables["headline"].set_index("measure")["value"]
    assert tiles["tasks"] == tables["failures"]["tasks"].sum()
    assert tiles["failed"] == tables["failures"]["failed"].sum()
    assert tiles["open"] == tables["open_groups"]["tasks"].sum()
    assert tiles["nodes"] == (tables["workers"]["tasks"] > 0).sum()
    lost = tables["open_groups"].query("verdict == 'lost'")["tasks"].sum()
    assert pd.isna(tiles["lost"]) if source == "demo" else tiles["lost"] == lost


def rows_of(page: Page, point: dict[Any, Any]) -> pd.DataFrame:
    """Return the rows that a highlight is of, each number of which it may say."""
    table: pd.DataFrame = page.tables["open_groups" if point["report"] == "unfinished" else point["report"]]
    task_type, _, functions = point["subject"].partition(" / ")
    if point["report"] == "errors":
        table = table[table["error"] == point["subject"]]
    else:
        table = table[table["task_type"] == task_type]
    if functions and "function_name" in table:
        table = table[table["function_name"].isin(functions.split(", "))]
    return table


@pytest.mark.parametrize("source", SOURCES)
def test_each_number_of_a_highlight_stands_in_its_rows_or_is_their_sum(source: str) -> None:
    page = page_of(source)
    points = page.tables["highlights"].to_dict("records")
    assert points
    for point in points:
        rows = rows_of(page, point)
        assert len(rows)
        cells = [str(value) for row in rows.to_dict("records") for value in row.values()]
        sums = [rows[name].sum() for name in ("tasks", "failed") if name in rows]
        shown = {number for cell in cells for number in numbers(cell)} | {f"{total}" for total in sums}
        sentence = point["reason"].partition(" UTC: ")[0]  # without the error that it quotes
        assert numbers(sentence) <= shown, point["reason"]


def test_a_new_error_says_of_what_it_is_and_when_it_was_seen_last() -> None:
    burst, leak = page_of("labelled").tables["highlights"]["reason"][:2]
    assert burst == ("new: 40 tasks of LINEAR_REGRESSION since 2026-11-18 09:36 UTC, the last at 2026-11-18 09:38 UTC")
    assert leak == "new: 3 tasks of TEXT_EMBEDDING since 2026-11-17 22:21 UTC, the last at 2026-11-20 07:59 UTC"


def test_the_incident_that_a_notebook_reads_is_the_one_of_these_tests() -> None:
    path = Path(__file__).parents[2] / "notebooks" / "incident.parquet"
    page = mltasks.report(path, as_of=AS_OF)
    assert page.attention() == page_of("incident").attention()


def test_most_failures_have_the_error_of_most_of_them_and_not_of_the_last() -> None:
    table = mltasks.highlights(incident.load(), since="3d", as_of=AS_OF)
    (reason,) = table["reason"][table["kind"] == "most_failures"]
    assert reason.startswith("43 of all 109 failures, mostly: rejected execution of org.opensearch.action")  # 40 of 43
