from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from mltasks.cli.main import COMMANDS, GROUPS
from mltasks.reports.declaration import Report
from mltasks.reports.registry import REPORTS
from support.command import Command

SECTIONS = [
    "Try",
    "What a row is",
    "Which tasks",
    "Output",
    "For a cluster",
    "Where reports run",
    "Options",
    "Columns",
]  # of a report


def sections_of(report: Report) -> list[str]:
    """A report that takes no groups, no periods and no option of its own has no section for them."""
    groups = report.takes_by or report.has_periods or report.options
    return [name for name in SECTIONS if groups or name != "What a row is"]


HEAVY = {"pandas", "numpy", "pyarrow", "duckdb", "narwhals", "matplotlib", "opensearchpy", "jinja2", "rich"}
SHOWN = (
    "import json, sys; from mltasks.cli.main import main; code = main(sys.argv[1:]);"
    "print(json.dumps([code, sorted(m for m in sys.modules if '.' not in m)]), file=sys.stderr)"
)


def imported(*arguments: str) -> set[str]:
    """Return what a command imports, in a process of its own."""
    ran = subprocess.run([sys.executable, "-c", SHOWN, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(ran.stderr.splitlines()[-1])
    assert code == 0
    return set(modules)


DRAWS, ASKS = {"matplotlib", "jinja2"}, {"opensearchpy", "urllib3", "tenacity", "filelock"}


@pytest.mark.parametrize(
    ("arguments", "others"),
    [
        (("report", "demo"), DRAWS | ASKS),
        (("failures", "demo", "--format", "json"), DRAWS | ASKS | {"rich"}),
        (("list", "demo", "--format", "csv"), DRAWS | ASKS | {"rich"}),
    ],
)
def test_what_draws_nothing_asks_no_cluster_or_is_for_no_terminal_imports_nothing_for_it(
    arguments: tuple[str, ...], others: set[str]
) -> None:
    assert not imported(*arguments) & others


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)], ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_fits_80_columns(mltasks: Command, arguments: tuple[str, ...], flag: str) -> None:
    ran = mltasks(*arguments, flag)
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80


def test_help_uses_some_of_a_wide_terminal(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    for name in COMMANDS:
        assert max(map(len, mltasks(name, "--help").out.splitlines())) <= 100
    assert "  --since TIME          From then on: 2026-11-24, monday, or 7d before the data ends.\n" in (
        mltasks("failures", "--help").out
    )


def test_the_help_names_every_command_and_where_tasks_come_from(mltasks: Command) -> None:
    out = mltasks("--help").out
    listed = out.partition("Show this message")[2]
    assert sorted(re.findall(r"^  ([a-z]+)  +[A-Z]", listed, re.MULTILINE)) == sorted(COMMANDS)
    assert re.findall(r"^([A-Z].+):$", listed, re.MULTILINE) == [*GROUPS], "a command is in no group"
    assert all(word in out for word in ("https://host:9200", "tasks.parquet", "demo", "MLTASKS_SOURCE"))


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("report", ["Try", "Output", "Which tasks", "For a cluster", "Where reports run", "Options"]),
        *((name, sections_of(report)) for name, report in REPORTS.items()),
        ("check", ["Try", "Rules", "Output", "For a cluster", "Where reports run", "Options"]),
        ("list", ["Try", "Which tasks", "Output", "For a cluster", "Options", "Columns"]),
        ("get", ["Try", "Output", "For a cluster", "Options"]),
        ("fetch", ["Try", "Output", "Which tasks", "For a cluster", "Options"]),
        ("sync", ["Try", "Output", "For a cluster", "Options"]),
        ("verify", ["Try", "Options"]),
        ("doctor", ["Try", "For a cluster", "Options"]),
    ],
)
def test_options_are_in_sections(mltasks: Command, name: str, sections: list[str]) -> None:
    assert re.findall(r"^([A-Z].*):$", mltasks(name, "--help").out, re.MULTILINE) == sections


@pytest.mark.parametrize("name", ["report", *(name for name, report in REPORTS.items() if report.refused)])
def test_a_report_with_a_rate_does_not_offer_filters_that_it_refuses(mltasks: Command, name: str) -> None:
    out = mltasks(name, "--help").out
    assert "--task-type" in out
    assert not re.findall(r"^  --(not-)?(state|outcome) ", out, re.MULTILINE)


def examples(out: str) -> list[str]:
    return [line.strip() for line in out.splitlines() if re.match(r" +mltasks [a-z]+ (demo|tasks\.parquet)", line)]


@pytest.mark.parametrize(
    "name", ["", *(name for name in COMMANDS if name not in ("check", "sync", "publish", "verify", "doctor"))]
)
def test_the_examples_of_the_help_work(
    mltasks: Command, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = examples(mltasks(*([name] if name else []), "--help").out)
    assert len(found) >= 2
    for line in found:
        words = shlex.split(line.replace(" ID", " uHCeD6IBiXUMJeGlU9P0"))[1:]
        ran = mltasks(*words)
        assert ran.code == 0, line
        assert max(map(len, ran.out.splitlines()), default=0) <= 80 or {"--wide", "json"} & {*words}


def test_the_version_is_the_one_that_is_installed(mltasks: Command) -> None:
    assert mltasks("--version").out == f"mltasks {metadata.version('mltasks')}\n"


def test_python_m_mltasks_is_the_command() -> None:
    environment = {**os.environ, "COLUMNS": "80"}
    ran = subprocess.run(
        [sys.executable, "-m", "mltasks", "--help"], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.startswith("Usage: mltasks COMMAND [SOURCE] [OPTIONS]")
