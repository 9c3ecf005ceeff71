"""A start imports what its call needs: help, completion and an error of usage need no table."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mltasks.cli.main import COMMANDS, group, main

HEAVY = ("pandas", "numpy", "pyarrow", "duckdb", "narwhals", "matplotlib", "opensearchpy", "rich", "jinja2")
RUN = """
import json, sys
from mltasks.cli.main import main
codes = [main(call) for call in json.loads(sys.argv[1])]
print(json.dumps([codes, [name for name in {heavy!r} if name in sys.modules]]))
"""
COMPLETE = """
import json, sys
from click.shell_completion import ShellComplete
from mltasks.cli.main import group
shell = ShellComplete(group, {{}}, "mltasks", "_MLTASKS_COMPLETE")
values = [[item.value for item in shell.get_completions(call[:-1], call[-1])] for call in json.loads(sys.argv[1])]
print(json.dumps([values, [name for name in {heavy!r} if name in sys.modules]]))
"""
HELP = [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
WRONG = [
    ["nope"],
    ["failures", "--nope"],
    ["failures", "demo", "--format", "nope"],
    ["failures", "demo", "-o", "report.nope"],
    ["failures", "nowhere"],
    ["failures"],
    ["failures", "demo", "--outcome", "failed"],
    ["report", "demo", "-o", "report.nope"],
    ["report", "demo", "--refresh", "60"],
    ["doctor"],
    ["check", "demo", "--rules", "nowhere.toml"],
    ["failures", "demo", "--by", "nonsense"],
    ["failures", "demo", "--by", "create_time"],
    ["failures", "demo", "--sort", "nonsense"],
    ["failures", "demo", "--sort", "tasks:up"],
    ["workers", "demo", "--columns", "tasks,nonsense"],
    ["failures", "demo", "--task-type", ""],
    ["failures", "demo", "--engine", "nope"],
    ["durations", "demo", "--outcome", "nope"],
    ["report", "demo", "--fail-on", "nope"],
    ["report", "nowhere"],
    ["list", "nowhere"],
    ["list", "demo", "--columns", "nonsense"],
    ["list", "demo", "--sort", "nonsense"],
    ["list", "demo", "--outcome", "nope"],
    ["list", "."],
    ["list", "pyproject.toml"],
    ["get", "nowhere", "ID"],
    ["fetch", "nowhere", "-o", "new.parquet"],
    ["fetch", "demo", "-o", "new.xlsx"],
    ["sync", "demo", "history"],
    ["sync", "nowhere", "history"],
    ["verify", "nowhere"],
    ["publish", "nowhere", "s3://bucket/history"],
    ["publish", ".", "/backup"],
    ["doctor", "demo"],
    ["list", "http://127.0.0.1:99999"],
    ["durations", "demo", "--task-type", "nope"],
    ["list", "demo", "--state", "nope"],
    ["list", "demo", "--not-state", "nope"],
    ["report", "demo", "--function-name", "nope"],
    ["fetch", "demo", "-o", "new.parquet", "--cluster", "nope"],
    ["list", "demo", "--node", "nope"],
    ["durations", "demo", "--outcome", "open"],
    ["errors", "demo", "--new"],
    ["errors", "demo", "--new", "nope"],
    ["errors", "demo", "--known", "nowhere.toml"],
    ["errors", "demo", "--known", "nowhere.toml", "--new"],
    ["compare", "demo", "--against", "previous"],
    ["compare", "demo", "--split", "2026-11-24", "--node", "n1"],
    ["compare", "demo", "--node", "n1", "--by", "node"],
    ["failures", "demo", "--query", "{}"],
    ["failures", ".", "--query", "{}"],
    ["report", "demo", "--query", "{}"],
    ["fetch", "demo", "-o", "new.parquet", "--query", "{}"],
    ["get", "demo", "ID", "--refresh"],
    ["failures", "s3://"],
    ["verify", "s3://"],
    ["sync", "http://127.0.0.1:1", "."],
    ["sync", "http://127.0.0.1:1", "s3://bucket/history"],
    ["failures", "demo", "--spark-master", "spark://host:7077"],
    ["failures", "demo", "--engine", "spark", "--spark-master", "spark://host:7077", "--spark-remote", "sc://host"],
    ["unfinished", "demo", "--watch", "5s", "--format", "csv"],
]
TIMES = [
    ["failures", "demo", "--since", "nope"],
    ["report", "demo", "--tz", "nope"],
    ["workers", "demo", "--every", "5"],
    ["list", "demo", "--since", "2026-01-02", "--until", "2026-01-01"],
    ["compare", "demo", "--since", "nope"],
    ["compare", "demo", "--split", "nope"],
    ["unfinished", "demo", "--watch", "0"],
    ["failures", "demo", "--every", ""],
    ["failures", "demo", "--tz", ""],
    ["list", "demo", "--tz", "Nowhere"],
    ["failures", "demo", "--since", "1w", "--until", "14days"],
    ["compare", "demo", "--since", "7d", "--against", "nope"],
]


def run(calls: list[list[str]], folder: Path | None = None) -> tuple[list[int], list[str]]:
    """Run commands in one process; return their exit codes, and which heavy packages they have imported."""
    command = [sys.executable, "-c", RUN.format(heavy=HEAVY), json.dumps(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=folder)
    codes, modules = json.loads(done.stdout.splitlines()[-1])
    return codes, modules


def test_help_imports_nothing_heavy() -> None:
    assert run(HELP) == ([0] * len(HELP), [])


def test_without_a_command_it_says_what_it_is_and_three_commands_that_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mltasks reports on the tasks of OpenSearch ML Commons")
    commands = re.findall(r"^  (mltasks .*?)   ", said, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        name, *arguments = shlex.split(command)[1:]
        found = group.get_command(click.Context(group), name)
        assert found is not None
        found.make_context(name, arguments, parent=click.Context(group, **group.context_settings))
    assert max(map(len, said.splitlines())) <= 80


def test_an_error_of_usage_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert run(WRONG, tmp_path) == ([2] * len(WRONG), [])


def test_what_a_shell_completes_needs_no_table() -> None:
    calls = [["failures", "demo", "--by", ""], ["list", "demo", "--columns", ""], ["list", "demo", "--outcome", ""]]
    completed = subprocess.run(
        [sys.executable, "-c", COMPLETE.format(heavy=HEAVY), json.dumps(calls)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    values, modules = json.loads(completed.stdout)
    assert [("task_type" in names, "failed" in names) for names in values] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert modules == []


def test_an_error_of_a_time_needs_no_table() -> None:
    assert run(TIMES) == ([2] * len(TIMES), [])


def test_a_report_on_few_tasks_starts_no_database_and_reads_no_store(tmp_path: Path) -> None:
    codes, modules = run([["failures", "demo", "--format", "csv", "-o", str(tmp_path / "failures.csv")]])
    assert (codes, "duckdb" in modules) == ([0], False)


def test_a_report_imports_no_connection_and_no_picture_that_it_does_not_need(tmp_path: Path) -> None:
    codes, modules = run([["failures", "demo", "--format", "csv", "-o", str(tmp_path / "failures.csv")]])
    assert codes == [0]
    assert not {"opensearchpy", "matplotlib", "rich", "jinja2"} & {*modules}
