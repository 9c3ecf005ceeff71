"""The documentation: what it promises is tested, its links lead somewhere, and its examples are as they are printed."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
import yaml

import mltasks
from mltasks.cli import main
from mltasks.opensearch import config
from mltasks.reports.registry import REPORTS
from support import documentation
from support.documentation import DOCS, Example, blocks
from support.documents import hit
from support.stores import put

ROOT = Path(__file__).parents[1]
PROMISES = (ROOT / "docs" / "reliability.md").read_text("utf-8")
PROVEN = re.findall(r"`((?:\.\./(?:\w+/)?)?test_\w+\.py)(?:::(\w+))?`", PROMISES)


@pytest.mark.parametrize(("file", "name"), PROVEN)
def test_a_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    text = (ROOT / "tests" / "live" / file).read_text("utf-8")
    assert f"def {name or 'test_'}" in text


def promises() -> list[tuple[str, str]]:
    """Return each promise of the tables, and what is named beside it."""
    tables = re.findall(r"^\| promise \| test \|\n\|-+\|-+\|\n((?:\|.*\n)+)", PROMISES, re.MULTILINE)
    rows = [line.strip("| ").split(" | ") for lines in tables for line in lines.splitlines()]
    return [(promise, tests) for promise, tests in rows]


def test_no_promise_is_without_a_test() -> None:
    assert len(promises()) > 50
    assert [promise for promise, tests in promises() if not re.search(r"`[./\w]*test_\w+\.py", tests)] == []


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")], ids=lambda p: p.name
)
def test_a_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("example", documentation.examples(), ids=lambda e: f"{e.page}: {e.command}")
def test_an_example_gives_the_output_that_is_printed(example: Example) -> None:
    """Where this is meant to change: `PYTHONPATH=tests python -m support.documentation` writes what it is now."""
    assert documentation.run(example.command) == example.output


def test_every_report_has_a_page_with_an_example_its_columns_and_its_source() -> None:
    listed = (DOCS / "reports" / "index.md").read_text("utf-8")
    shown = {example.page for example in documentation.examples()}
    for name, report in REPORTS.items():
        text = (DOCS / "reports" / f"{name}.md").read_text("utf-8")
        assert f"docs/reports/{name}.md" in shown
        assert f"\n{name} <{name}>\n" in listed
        assert f"{{declared}} columns {name}" in text
        assert f"{{declared}} facts {name}" in text
        assert {"## Formula and source", "## Limits"} <= {*text.splitlines()}
        assert (f"{{report-figure}} {name}" in text) == (report.figure is not None)


def test_the_tables_that_are_made_from_the_code_can_be_made() -> None:
    program = f"import sys; sys.path.insert(0, {str(DOCS / '_ext')!r}); import tables\n"
    program += "from mltasks.reports.registry import REPORTS\n"
    program += "print(*(make(name) for make in tables.TABLES.values() for name in REPORTS))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert all(f"`{column.name}`" in done.stdout for report in REPORTS.values() for column in report.columns)


def test_the_reference_has_every_public_name_and_every_command() -> None:
    documented = re.findall(r":: mltasks\.(\w+)", (DOCS / "reference" / "python.md").read_text("utf-8"))
    assert sorted(documented) == mltasks.__all__
    commands = re.findall(r"{command-help} (\w+)", (DOCS / "reference" / "command-line.md").read_text("utf-8"))
    assert commands == ["mltasks", *main.COMMANDS]


def test_what_is_shown_for_polars_gives_the_numbers_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = (text for text in blocks("spark.md", "python") if "polars" in text)
    monkeypatch.chdir(tmp_path)
    mltasks.write_parquet(mltasks.load("demo"), tmp_path / "tasks.parquet")
    names: dict[str, Any] = {}
    exec(program, names)
    rows = {name: (failed, p50_s) for name, failed, p50_s in names["table"].rows()}
    assert (rows["KMEANS"], rows["TEXT_EMBEDDING"]) == ((66, 0.1595), (34, 0.5305))


SHOWN = [
    line.split("#")[0].strip().replace("%d/password", "password")
    for page in documentation.pages()
    for line in re.findall(
        r"mltasks (?:[a-z]+) [^\n`|]*",
        "\n".join(
            [
                *blocks(str(page.relative_to(DOCS)), "console"),
                *blocks(str(page.relative_to(DOCS)), "text"),
                *blocks(str(page.relative_to(DOCS)), "ini"),
                *blocks(str(page.relative_to(DOCS)), "yaml"),
            ]
        ).replace("\\\n", " "),
    )
]


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_of_the_documentation_is_one_that_mltasks_takes(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    top = click.Context(main.group, info_name="mltasks", **main.group.context_settings)
    command = main.group.get_command(top, name)
    assert command is not None
    command.make_context(name, arguments, parent=top)


def test_the_workflow_for_ci_is_one_that_github_reads() -> None:
    (text,) = blocks("how-to/ci.md", "yaml")
    workflow = yaml.safe_load(text)
    assert [*workflow] == ["name", True, "permissions", "jobs"]  # `on` is a flag to YAML 1.1
    steps = workflow["jobs"]["check"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    assert {word for step in steps for word in step.get("env", {})} == {"SOURCE", "MLTASKS_PASSWORD"}


def test_the_systemd_units_are_a_service_and_its_timer() -> None:
    service, timer = (configparser.ConfigParser(interpolation=None) for _ in range(2))
    for parser, text in zip((service, timer), blocks("how-to/weekly-report.md", "ini"), strict=True):
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation has it
        parser.read_string(text)
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["ExecStart"].startswith("/")
    assert {*timer["Timer"]} == {"OnCalendar", "Persistent"}


def test_the_configuration_of_several_clusters_is_read(tmp_path: Path) -> None:
    (text,) = blocks("how-to/several-clusters.md", "toml")
    file = tmp_path / "mltasks.toml"
    file.write_text(text)
    assert [*config.clusters(str(file))] == [*tomllib.loads(text)["clusters"]] == ["prod-eu", "prod-us"]


def test_the_sql_of_the_documentation_runs_on_a_file_and_on_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks, "tasks.parquet")
    on_file, on_store = blocks("how-to/sql.md", "sql")
    counts = {node: (tasks, failed) for node, tasks, failed in duckdb.execute(on_file).fetchall()}
    workers = mltasks.workers(tasks).set_index("worker_node")
    assert counts.keys() == {*workers.index}
    put(Path("history"), "prod-eu", [hit("a"), hit("b")])
    put(Path("history"), "prod-us", [hit("a")])
    assert duckdb.execute(on_store).fetchall() == [("prod-eu", "TRAINING", 2), ("prod-us", "TRAINING", 1)]
    (code,) = blocks("how-to/sql.md", "python")
    exec(compile(code, "sql.md", "exec"), {})


def test_the_first_python_of_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("index.md", "python")
    exec(compile(code, "index.md", "exec"), {})
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
