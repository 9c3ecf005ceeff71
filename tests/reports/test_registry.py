"""Every registered report through every engine and output, on real tasks and on none; what is forgotten is named."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import mltasks
from mltasks.engines import prepare
from mltasks.exceptions import UsageError
from mltasks.render import page, terminal, write
from mltasks.render.plot import figure
from mltasks.render.plot.drawings import DRAWINGS
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import column_kinds, page_reports
from mltasks.reports.declaration import Report, ReportColumn
from mltasks.reports.registry import REPORTS
from support import engines
from support.command import Command

ROOT = Path(__file__).parents[2]
DTYPES = {
    "text": "str",
    "id": "str",
    "flag": "boolean",
    "count": "int64|Int64|float64",
    "number": "float64",
    "share": "float64",
    "duration": "float64",
    "time": r"datetime64\[ms, .+\]",
    "ago": r"datetime64\[ms, .+\]",
}


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


@pytest.fixture(scope="module", params=[*REPORTS])
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]


@pytest.fixture(scope="module", params=[552, 0], ids=["real tasks", "no tasks"])
def count(request: pytest.FixtureRequest) -> int:
    assert isinstance(request.param, int)
    return request.param


@pytest.fixture(scope="module")
def table(report: Report, demo: pd.DataFrame, count: int) -> pd.DataFrame:
    result: pd.DataFrame = report.function()(demo.head(count))
    return result


def test_a_report_is_declared_whole(report: Report) -> None:
    names = report.column_names
    assert len(set(names)) == len(names), "a column is declared twice"
    assert {*report.narrow} <= {*names, *report.keys}, "`narrow` names a column that is not declared"
    assert {*report.worst_first} <= {*names}, "`worst_first` names a column that is not declared"
    assert all(column.note for column in report.columns), "a column has no note"
    assert report.question.endswith("."), "the question is a sentence"
    assert len(report.examples) >= 2, "the help of a command shows two examples at least"
    assert report.figure is None or report.figure in DRAWINGS, "`figure` names no drawing of render.plot"


def test_a_column_that_two_reports_have_is_of_one_kind_and_unit() -> None:
    declared: dict[str, ReportColumn] = {}
    for report in REPORTS.values():
        for column in report.columns:
            kind = declared.setdefault(column.name, column)
            assert (kind.kind, kind.unit) == (column.kind, column.unit), f"{report.name}: {column.name}"


def test_the_function_takes_what_the_declaration_says(report: Report) -> None:
    parameters = inspect.signature(report.function()).parameters
    wanted = {"as_of", *(option.name for option in report.options)}
    wanted |= ({"by"} if report.takes_by else set()) | ({"every", "tz"} if report.has_periods else set())
    assert wanted <= {*parameters}, f"{report.name}: its function lacks {wanted - {*parameters}}"
    if report.takes_by:
        assert parameters["by"].default == report.keys, "the default of `by` is what `keys` says"
    assert report.function().__doc__, "the function has no docstring"


def test_the_contracts_of_imports_name_it(report: Report) -> None:
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == ["mltasks.reports"]:
            assert report.name in {name for layer in contract["layers"] for name in layer.split(" | ")}
        if contract["type"] == "independence" and report.name != "highlights":  # which is made of the others
            assert f"mltasks.reports.{report.name}" in contract["modules"]


def test_the_package_has_the_report_by_its_name(report: Report) -> None:
    assert inspect.unwrap(getattr(mltasks, report.name)) is report.function()
    assert report.name in mltasks.__all__


def test_the_columns_are_those_declared_in_their_order_and_of_their_types(table: pd.DataFrame, report: Report) -> None:
    found = [name for name in table.columns if name not in report.keys]
    assert found == [name for name in report.column_names if name not in report.keys]
    for column in report.columns:
        assert re.fullmatch(DTYPES[column.kind], str(table[column.name].dtype)), column


@pytest.mark.parametrize("engine", engines.in_process())
def test_every_engine_gives_the_same(engine: str, report: Report, table: pd.DataFrame, count: int) -> None:
    scanned = mltasks.scan("demo")
    rows = prepare.to_arrow(scanned).slice(0, count)
    result = report.function()(engines.datasets(rows, scanned.context)[engine])
    pd.testing.assert_frame_equal(result, table, rtol=1e-12)
    assert result.attrs == table.attrs


@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_shows_it(table: pd.DataFrame, report: Report, width: int) -> None:
    shown = terminal.render(make_view(table), width=width)
    assert max(map(len, shown.splitlines())) <= width, f"narrow columns of {report.name} are too wide"
    assert "tasks of ml-fixture" in shown.replace("\n", " ")
    whole = terminal.render(make_view(table), wide=True)
    assert all(name in whole for name in (report.column_names if len(table) else []))


@pytest.mark.parametrize("kind", ["csv", "json", "markdown"])
def test_a_file_holds_it(table: pd.DataFrame, report: Report, kind: str) -> None:
    text = write.text_of(make_view(table), kind)
    if kind == "json":
        assert [*json.loads(text)] == ["report", "as_of", "sources", "filters", "tasks", "rows", "notes"]
        assert len(json.loads(text)["rows"]) == len(table)
    elif kind == "csv":
        assert text.splitlines()[0].split(",") == [*table.columns]
    else:
        assert text.count("\n| ") == len(table) + bool(len(table))


def test_a_figure_draws_it(table: pd.DataFrame, report: Report) -> None:
    if report.figure:
        assert figure.svg(make_view(table)).startswith("<svg")
    else:
        with pytest.raises(UsageError, match="there is no figure"):
            figure.svg(make_view(table))


def test_the_page_has_the_rows_of_every_report_that_is_on_it(demo: pd.DataFrame) -> None:
    names = [name for name, each in REPORTS.items() if each.on_page]
    assert [*page_reports.run_reports(demo.head(0))][: len(names) + 1] == ["highlights", *names]
    text = page.report(demo).html()
    elsewhere = {"durations": "failures"}  # in one table with the rates
    assert {*re.findall('<section id="([a-z_]+)"', text)} >= {elsewhere.get(name, name) for name in names}


def test_the_command_of_a_report_names_its_columns(report: Report, mltasks_command: Command) -> None:
    columns = mltasks_command(report.name, "--help").out.partition("\nColumns:\n")[2]
    assert re.findall("^  ([a-z0-9_]+)", columns, re.MULTILINE) == [*report.column_names]


def test_a_filter_that_is_refused_is_said_with_the_reason(report: Report, mltasks_command: Command) -> None:
    words = {"state": "FAILED", "outcome": "failed", "not_state": "FAILED", "not_outcome": "failed"}
    for name, why in report.refused.items():
        option = f"--{name.replace('_', '-')}"
        said = mltasks_command.fails(2, report.name, "demo", option, words.get(name, "x"))
        assert said == f"{report.name} does not take the filter {name}: {why}; leave it out here"


def test_cells_are_written_by_kind_and_unit_and_not_by_name() -> None:
    shown = View(pd.DataFrame(), make_view(mltasks.workers(mltasks.load("demo"))).info)
    assert [shown.cell("task_s", 135.0), shown.cell("task_share", 0.5), shown.cell("tasks", 1234)] == [
        *("2m15s", "50.0%", "1,234")
    ]
    assert [shown.cell("users_own_s", 135.0), shown.cell("user_rate", 0.5)] == ["135", "0.50"]
    assert column_kinds.find_column("failures", "task_s") is None
    assert column_kinds.find_column("overview", "task_s") == column_kinds.find_column("workers", "task_s")


@pytest.fixture
def mltasks_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", "80")
    return Command(capsys)
