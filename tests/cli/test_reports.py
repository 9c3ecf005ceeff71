from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

import mltasks as library
from mltasks.render.sort_and_top import make_view
from support import labelled
from support.command import Command

REPORTS = ("failures", "durations", "workers")


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_in_json_is_the_one_of_the_library(mltasks: Command, name: str) -> None:
    ran = mltasks(name, "demo", "--format", "json")
    frame = getattr(library, name)(library.scan("demo"))
    assert (ran.code, ran.err) == (0, "")
    assert [*ran.rows[0]] == [*frame.columns]
    shown = make_view(frame).frame  # the worst first, where the library has the keys in order
    assert [row["tasks"] for row in ran.rows] == shown["tasks"].tolist()
    assert sorted(shown["tasks"]) == sorted(frame["tasks"])


@pytest.mark.parametrize("name", ["report", *REPORTS, "list"])
def test_the_default_output_fits_80_columns_and_says_first_what_it_covers(mltasks: Command, name: str) -> None:
    ran = mltasks(name, "demo")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all)")
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_summary_has_what_needs_attention_then_types_then_nodes(mltasks: Command) -> None:
    out = mltasks("report", "demo").out
    assert "  - DEPLOY_MODEL / TEXT_EMBEDDING: 11 failed and none succeeded since" in out
    assert "task 3tWbD6IBQik9Ua0C9v9E\n" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["TRAINING", "306", "226", "74", "6", "24.7%", "324ms", "19.1s"] in rows
    assert any(row[:4] == ["n1", "242", "146", "86"] and "37.1%" in row and "11m44s" in row for row in rows)


def test_the_page_is_written_where_o_says_and_its_place_is_told_on_stderr(mltasks: Command, tmp_path: Path) -> None:
    ran = mltasks("report", "demo", "-o", f"{tmp_path / 'r.html'}")
    assert (ran.code, ran.err) == (0, f"page: {tmp_path / 'r.html'}\n")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert ran.out.startswith("552 tasks of ml-fixture")


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ((), ["task_type", "function_name"]),
        (("--by", "state"), ["state"]),
        (("--by", "state,outcome"), ["state", "outcome"]),
        (("--by", "state", "--by", "outcome"), ["state", "outcome"]),
        (("--by", ""), []),
        (("--by", "state", "--every", "1h"), ["state", "period"]),
    ],
)
def test_by_and_every_say_what_a_row_is(mltasks: Command, arguments: tuple[str, ...], keys: list[str]) -> None:
    rows = mltasks("durations", "demo", *arguments, "--format", "json").rows
    assert [*rows[0]][: len(keys) + 1] == [*keys, "tasks"]
    assert sum(row["tasks"] for row in rows) == 552


def test_periods_in_json_are_in_the_zone_that_was_asked_for(mltasks: Command) -> None:
    rows = mltasks("failures", "demo", "--by", "", "--every", "1d", "--tz", "Asia/Kolkata", "--format", "json").rows
    assert [row["period"] for row in rows] == ["2026-11-25T00:00:00+05:30"]


@pytest.mark.parametrize(
    ("arguments", "tasks"),
    [
        (("--function-name", "KMEANS"), 126),
        (("--function-name", "kmeans"), 126),
        (("--function-name", "KMEANS", "--task-type", "TRAINING"), 109),
        (("--task-type", "TRAINING", "--task-type", "DEPLOY_MODEL"), 421),
        (("--not-task-type", "TRAINING"), 246),
        (("--since", "2026-11-25"), 0),
        (("--until", "2026-11-25"), 552),
        (("--task-type", "UPLOAD_MODEL"), 0),
    ],
)
def test_filters_select_and_are_repeatable(mltasks: Command, arguments: tuple[str, ...], tasks: int) -> None:
    found = json.loads(mltasks("failures", "demo", *arguments, "--format", "json").out)
    assert found["tasks"] == tasks
    assert sum(row["tasks"] for row in found["rows"]) == tasks
    assert found["filters"]


def test_the_filters_are_part_of_what_is_covered(mltasks: Command) -> None:
    out = " ".join(mltasks("failures", "demo", "--function-name", "KMEANS", "--since", "20m").out.split())
    assert out.startswith("126 tasks of ml-fixture, created 2026-11-24 ")
    assert "function_name kmeans" in out


def test_durations_of_failed_tasks_keep_the_counts_of_all(mltasks: Command) -> None:
    found = json.loads(mltasks("durations", "demo", "--by", "", "--outcome", "failed", "--format", "json").out)
    row = found["rows"][0]
    assert (row["tasks"], row["failed"], row["measured"], row["unmeasured"]) == (552, 156, 151, 5)
    assert "not measured though finished: 5 cut_off" in found["notes"]


def test_several_outcomes_are_measured_together_comma_separated_as_everywhere(mltasks: Command) -> None:
    arguments = ("durations", "demo", "--by", "", "--format", "json", "--outcome")
    (row,) = mltasks(*arguments, "Completed,failed").rows
    assert row == mltasks(*arguments, "completed", "--outcome", "failed").rows[0]
    assert row["measured"] == sum(mltasks(*arguments, word).rows[0]["measured"] for word in ("completed", "failed"))


def test_no_task_at_all_is_an_empty_table_a_sentence_and_no_error(mltasks: Command) -> None:
    ran = mltasks("failures", "demo", "--task-type", "UPLOAD_MODEL")
    assert (ran.code, ran.err) == (0, "")
    assert " ".join(ran.out.split()).startswith(
        "0 tasks of ml-fixture: there is nothing to report (task_type upload_model)"
    )
    assert json.loads(mltasks("failures", "demo", "--task-type", "UPLOAD_MODEL", "--format", "json").out)["rows"] == []


def test_sort_and_top_choose_rows_and_say_so(mltasks: Command) -> None:
    found = json.loads(mltasks("failures", "demo", "--sort", "failed", "--top", "2", "--format", "json").out)
    assert [(row["function_name"], row["failed"]) for row in found["rows"]] == [("KMEANS", 49), ("TEXT_EMBEDDING", 23)]
    assert found["notes"][0] == "top 2 of 19 rows, by failed; all: --top 0"
    assert len(mltasks("failures", "demo", "--top", "0", "--format", "json").rows) == 19


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "txt", "parquet"])
def test_the_suffix_says_the_format_and_nothing_goes_to_stdout(mltasks: Command, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    ran = mltasks("failures", "demo", "-o", str(path))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    if suffix == "parquet":
        assert len(pd.read_parquet(path)) == 19
        return
    kind = {"md": "markdown", "txt": "table"}.get(suffix, suffix)
    text = path.read_text(encoding="utf-8")
    if suffix == "txt":  # read later: "ago" needs the time beside it
        assert "2026-11-24 22:12:28 (2m42s ago)" in text
    else:
        assert text == mltasks("failures", "demo", "--format", kind).out


def test_a_format_that_is_named_wins_over_the_suffix(mltasks: Command, tmp_path: Path) -> None:
    assert mltasks("failures", "demo", "-o", f"{tmp_path / 'out.txt'}", "--format", "csv").code == 0
    header = next(csv.reader(io.StringIO((tmp_path / "out.txt").read_text(encoding="utf-8"))))
    assert header[:3] == ["task_type", "function_name", "tasks"]


def test_force_overwrites(mltasks: Command, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("before")
    assert mltasks("failures", "demo", "-o", f"{tmp_path / 'out.csv'}", "--force").code == 0
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith("task_type,")


def test_a_figure_is_written_beside_the_table(mltasks: Command, tmp_path: Path) -> None:
    ran = mltasks("workers", "demo", "--plot", f"{tmp_path / 'w.svg'}")
    assert (ran.code, ran.out, ran.err) == (0, mltasks("workers", "demo").out, "")
    assert ">n1</text>" in (tmp_path / "w.svg").read_text(encoding="utf-8")


def test_fetch_writes_tasks_that_give_the_same_rows(mltasks: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "tasks.parquet")
    ran = mltasks("fetch", "demo", "-o", path, "--task-type", "TRAINING")
    assert (ran.code, ran.out, ran.err) == (0, "", f"306 tasks of demo in {path}\n")
    expected = mltasks("durations", "demo", "--task-type", "TRAINING", "--engine", "duckdb", "--format", "json").rows
    assert mltasks("durations", path, "--format", "json").rows == expected


@pytest.mark.parametrize(("kinds", "code"), [("lost,never_succeeded", 1), ("lost, failing", 0)])
def test_a_report_ends_with_1_where_there_are_highlights_of_the_kinds_that_it_fails_on(
    mltasks: Command, kinds: str, code: int
) -> None:
    assert mltasks("report", "demo", "--task-type", "DEPLOY_MODEL", "--fail-on", kinds).code == code


@pytest.mark.parametrize(
    ("arguments", "kinds", "warned"),
    [
        ((), "lost,failing", {"lost": "when the nodes of ml-fixture were started is not part of what was read"}),
        (
            (),
            "new_error,model_down,worse",
            {"new_error": "new errors cannot be told", "model_down": "whether some models are down cannot be told"},
        ),
        (("--since", "2027-01-01"), "lost,old", {"lost": "no task, so that nothing was looked at"}),
        (("--task-type", "REGISTER_MODEL"), "lost,overdue", {}),
        (("-o", "-"), "lost", {"lost": "when the nodes of ml-fixture"}),
    ],
)
def test_what_cannot_be_told_is_no_pass_without_a_word(
    mltasks: Command, arguments: tuple[str, ...], kinds: str, warned: dict[str, str]
) -> None:
    ran = mltasks("report", "demo", *arguments, "--fail-on", kinds)
    assert ran.code == 0
    begin = "mltasks: warning: --fail-on "
    lines = [line.removeprefix(begin) for line in ran.err.splitlines() if line.startswith(begin)]
    assert len(lines) == len(warned)
    for line, (kind, why) in zip(lines, warned.items(), strict=True):
        assert line.startswith(f"{kind}: none found, which proves nothing: {why}")


def test_what_was_found_and_what_was_looked_at_in_vain_needs_no_warning(mltasks: Command) -> None:
    ran = mltasks("report", "demo", "--fail-on", "never_succeeded,failing")
    assert (ran.code, ran.err) == (1, "")


@pytest.mark.parametrize("kinds", ["", "broken", "lost,broken"])
def test_a_kind_that_there_is_not_is_said_before_anything_is_read(mltasks: Command, kinds: str) -> None:
    said = mltasks.fails(2, "report", "http://127.0.0.1:1", "--fail-on", kinds)
    assert said.startswith(
        f"--fail-on: cannot read {kinds!r}; there are highlights (any of them), incomplete, old, lost"
    )


def test_a_window_is_compared_with_as_long_a_time_before_it(mltasks: Command) -> None:
    out = mltasks("report", str(labelled.PATH), "--since", "6d").out
    assert out.startswith("2,006 tasks of ")
    assert " before before\n" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["TRAINING", "1,344", "1,201", "143", "0", "10.6%", "2.3s", "17.8s", "4.9%", "2.5s"] in rows
    assert "REGISTER_MODEL / TEXT_EMBEDDING: slower than before: median 20.9 s" in " ".join(out.split())


def test_a_window_without_a_time_before_it_has_no_such_columns(mltasks: Command) -> None:
    assert " before before\n" not in mltasks("report", str(labelled.PATH), "--since", "2026-11-07").out
