from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import mltasks
from mltasks.render.cells import escape_control, one_line
from mltasks.render.csv import escape_formula, to_csv
from mltasks.render.json import to_json
from mltasks.render.markdown import markup, to_markdown
from mltasks.render.parquet import to_parquet
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from support.views import HOSTILE, failures, obeyed, texts, view

FORMULA = tuple("=+-@\t\r\n ＝＋－＠")
GITHUB = MarkdownIt("commonmark").enable("table")


@pytest.fixture(scope="module")
def reports() -> dict[str, View]:
    tasks = mltasks.load("demo")
    return {name: make_view(getattr(mltasks, name)(tasks)) for name in ("failures", "durations", "workers")}


def texts_of(tokens: list[Token] | None) -> list[str]:
    return [token.content if token.type == "text" else "".join(texts_of(token.children)) for token in tokens or []]


def cells(markdown: str) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in GITHUB.parse(markdown):
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append("".join(texts_of(token.children)))
    return rows


def kinds(tokens: list[Token] | None) -> set[str]:
    return {kind for t in tokens or [] for kind in (t.type, *kinds(t.children))}


@settings(max_examples=60)
@given(st.lists(texts(), min_size=1, max_size=5))
def test_texts_in_csv_come_back_each_in_its_cell_and_none_is_a_formula(names: list[str]) -> None:
    frame = pd.DataFrame({"task_id": pd.Series(names, dtype="str"), "tasks": [-1] * len(names)})
    header, *rows = csv.reader(io.StringIO(to_csv(view(frame)), newline=""))
    assert header == ["task_id", "tasks"]
    assert [row[1] for row in rows] == ["-1"] * len(names)
    for name, (shown, _) in zip(names, rows, strict=True):
        assert not shown.startswith(FORMULA)
        assert shown.removeprefix("'") == escape_control(name).removeprefix("'")
        assert obeyed(shown) <= {"\n", "\t"}


@pytest.mark.parametrize("name", ["KMEANS", "a-b", "a=b", "Zürich", "語", "", "a,b", 'say "x"', "it's"])
def test_texts_that_are_no_formula_are_unchanged_in_csv(name: str) -> None:
    assert escape_formula(name) == name


def test_a_column_name_is_neutralised_too() -> None:
    assert to_csv(view(pd.DataFrame({"=1+1": [1]}))) == "'=1+1\n1\n"


def test_csv_has_missing_cells_empty_times_in_iso_and_numbers_without_noise() -> None:
    frame = pd.DataFrame(
        {
            "period": [pd.Timestamp("2025-11-24", tz="Europe/Berlin"), pd.NaT],
            "tasks": pd.array([1234567, None], "Int64"),
            "failure_rate": [1 / 3, np.nan],
            "name": pd.Series([None, "NA"], dtype="str"),
        }
    )
    assert to_csv(view(frame)) == ("period,tasks,failure_rate,name\n2025-11-24T00:00:00+01:00,1234567,0.3333,\n,,,NA\n")


def test_csv_of_a_table_of_tasks_writes_each_cell_as_if_it_stood_alone() -> None:
    times = pd.to_datetime(["2026-11-24 22:00:00.001", "NaT", "1969-12-31 23:59:59.999"], utc=True)
    texts = pd.Series(["=1", None, "a,\x1b"], dtype="str")
    frame = pd.DataFrame({"create_time": times.as_unit("ms"), "reason": texts, "duration_s": [0.25, None, 12]})
    for made in (frame, frame.astype("object"), frame.assign(create_time=times.as_unit("ns"))):
        assert to_csv(view(made)) == (
            "create_time,reason,duration_s\n2026-11-24T22:00:00.001Z,'=1,0.25\n,,\n"
            '1969-12-31T23:59:59.999Z,"a,\\x1b",12.0\n'
        )


def test_a_share_in_csv_is_none_or_all_only_if_it_is() -> None:
    frame = pd.DataFrame({"failure_rate": [0.00001, 0.99999, 0.0, 1.0]})
    assert to_csv(view(frame)).split() == ["failure_rate", "1e-05", "0.99999", "0.0", "1.0"]


def test_json_is_one_object_with_exactly_the_fields_of_the_design(reports: dict[str, View]) -> None:
    found = json.loads(to_json(reports["failures"]))
    assert list(found) == ["report", "as_of", "sources", "filters", "tasks", "rows", "notes"]
    assert (found["report"], found["tasks"], found["sources"], found["filters"]) == (
        "failures",
        552,
        ["ml-fixture"],
        {},
    )
    assert found["as_of"].startswith("2026-11-24T22:15:")
    assert found["as_of"].endswith("Z")


@pytest.mark.parametrize("name", ["failures", "durations", "workers"])
def test_the_rows_in_json_equal_the_table(reports: dict[str, View], name: str) -> None:
    frame = reports[name].frame
    rows = json.loads(to_json(reports[name]))["rows"]
    assert len(rows) == len(frame)
    for row, (_, expected) in zip(rows, frame.iterrows(), strict=True):
        assert list(row) == list(frame.columns)
        for column, value in row.items():
            want: Any = expected[column]
            if pd.isna(want):
                assert value is None
            elif isinstance(want, pd.Timestamp):
                assert pd.Timestamp(value) == want
                assert value.endswith("Z")
            else:
                assert value == want


def test_what_is_no_number_is_null_in_json() -> None:
    frame = pd.DataFrame({"a": [np.nan], "b": [np.inf], "c": [pd.NaT], "d": [pd.NA], "e": [None], "f": [np.True_]})
    rows = json.loads(to_json(view(frame, as_of_ms=None)), parse_constant=pytest.fail)["rows"]
    assert rows == [{"a": None, "b": None, "c": None, "d": None, "e": None, "f": True}]


@given(texts())
def test_json_is_valid_and_plain_ascii_whatever_the_texts(name: str) -> None:
    shown = to_json(view(failures([name]), ["task_type"], sources=[name], notes=[name]))
    found = json.loads(shown)
    assert (found["rows"][0]["task_type"], found["sources"], found["notes"]) == (name, [name], [name])
    assert shown.isascii()
    assert obeyed(shown) == {"\n"}


@settings(deadline=None, max_examples=60)
@given(st.lists(texts(), min_size=1, max_size=4))
def test_texts_in_markdown_are_texts_each_in_its_cell(names: list[str]) -> None:
    markdown = to_markdown(view(failures(names), ["task_type"], sources=names, notes=names))
    header, *rows = cells(markdown)
    assert header[:3] == ["task_type", "tasks", "completed"]
    assert [row[0].strip() for row in rows] == [one_line(name).strip() for name in names]
    assert all(len(row) == len(header) for row in rows)
    table = GITHUB.parse(markdown)
    assert not kinds(table) & {"html_inline", "html_block", "link_open", "image", "em_open", "strong_open", "fence"}
    assert "code_inline" not in kinds(table)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("https://evil.example", "https\\://evil.example"),
        ("www.evil.example", "www\\.evil.example"),
        ("WWW.evil.example", "WWW\\.evil.example"),
    ],
)
def test_nothing_in_markdown_becomes_a_link_by_itself(name: str, shown: str) -> None:
    assert markup(name) == shown


def test_markdown_has_what_it_covers_then_the_table_then_the_notes() -> None:
    frame = pd.DataFrame({"task_type": pd.Series(["TRAINING", None], dtype="str"), "tasks": [1234, 0]})
    assert to_markdown(view(frame, ["task_type"], notes=["a note"])) == (
        "3 tasks of somewhere, created 2025-11-24 22:00-23:00 UTC (all), as of 2025-11-25 00:00 UTC\n"
        "\n"
        "| task_type | tasks |\n"
        "|---|---:|\n"
        "| TRAINING | 1,234 |\n"
        "| (missing) | 0 |\n"
        "\n"
        "- a note\n"
    )


def test_an_empty_report_in_markdown_is_a_sentence() -> None:
    empty = view(failures([]), ["task_type"], tasks=0, first_ms=None, last_ms=None, as_of_ms=None)
    assert to_markdown(empty) == "0 tasks of somewhere: there is nothing to report (all)\n"


@pytest.mark.parametrize("name", ["failures", "durations", "workers"])
def test_parquet_gives_the_table_back_with_its_types(reports: dict[str, View], name: str, tmp_path: Path) -> None:
    to_parquet(reports[name], tmp_path / "r.parquet")
    back = pd.read_parquet(tmp_path / "r.parquet")
    frame = reports[name].frame
    whole = [n for n in frame if frame[n].dtype == "Int64" and frame[n].notna().all()]  # of which Parquet knows no two
    pd.testing.assert_frame_equal(back, frame.astype(dict.fromkeys(whole, "int64")), check_flags=False)
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "r.parquet")}
    assert types["tasks"] == "int64"
    assert types.get("last_success", "timestamp[ms, tz=UTC]") == "timestamp[ms, tz=UTC]"
    assert types.get("failure_rate", "double") == "double"


def test_parquet_says_in_its_metadata_what_was_shown(reports: dict[str, View], tmp_path: Path) -> None:
    to_parquet(make_view(reports["failures"].frame, top=2), tmp_path / "r.parquet")
    metadata = pq.read_metadata(tmp_path / "r.parquet")
    assert set(metadata.metadata or {}) == {b"mltasks_report", b"ARROW:schema"}
    said = json.loads((metadata.metadata or {})[b"mltasks_report"])
    assert (said["report"], said["tasks"], said["notes"][0]) == (
        "failures",
        552,
        "top 2 of 19 rows, by failed; all: --top 0",
    )
    assert metadata.num_rows == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_parquet_keeps_texts_as_they_are(name: str, tmp_path: Path) -> None:
    to_parquet(view(failures([name])), tmp_path / "r.parquet")
    assert pq.read_table(tmp_path / "r.parquet")["task_type"].to_pylist() == [name]
