"""What a shell completes, through click's own interface, and once in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from mltasks.cli.main import COMMANDS, group
from mltasks.reports.registry import REPORTS
from mltasks.tasks import schema


def complete(*words: str) -> list[str]:
    """Return what the last word may become."""
    items = ShellComplete(group, {}, "mltasks", "_MLTASKS_COMPLETE").get_completions([*words[:-1]], words[-1])
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in items]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what may be a source, and what cannot."""
    monkeypatch.chdir(tmp_path)
    for name in ("tasks.parquet", "hits.ndjson.gz", "notes.txt", ".hidden.json"):
        (tmp_path / name).touch()
    (tmp_path / "history").mkdir()
    (tmp_path / "mltasks.toml").write_text('[clusters.prod-eu]\nurl = "https://localhost:9200"\n')
    (tmp_path / "mltasks.toml").chmod(0o600)
    return tmp_path


def test_the_commands_are_completed_and_so_all_reports() -> None:
    assert complete("") == list(COMMANDS)
    assert complete("fail") == ["failures"]
    assert {*REPORTS} <= {*complete("")}


@pytest.mark.parametrize("command", ["failures", "report", "list", "check", "fetch", "get", "sync"])
@pytest.mark.filterwarnings("ignore::mltasks.exceptions.ConfigNotice")
def test_a_source_is_the_example_data_a_configured_cluster_or_a_file_of_a_known_kind(command: str) -> None:
    assert complete(command, "") == ["demo", "prod-eu", "history", "hits.ndjson.gz", "tasks.parquet"]
    assert complete(command, "pro") == ["prod-eu"]
    assert complete(command, "/etc/") == ["<file>"]


def test_columns_are_those_of_the_report_and_of_its_groups() -> None:
    assert complete("failures", "demo", "--by", "fun") == ["function_name"]
    assert complete("failures", "demo", "--by", "")[:2] == ["task_type", "function_name"]
    assert "create_time" not in complete("failures", "demo", "--by", "")
    assert complete("durations", "demo", "--sort", "p9") == ["p90_s", "p95_s", "p99_s"]
    assert complete("list", "demo", "--columns", "") == [*schema.COLUMNS, *schema.JOB_COLUMNS]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_completes_all_of_its_columns(name: str) -> None:
    assert complete(name, "demo", "--columns", "") == list(
        dict.fromkeys([*REPORTS[name].keys, *REPORTS[name].column_names])
    )


def test_the_last_of_several_comma_separated_values_is_completed_and_none_twice() -> None:
    assert complete("failures", "demo", "--by", "task_type,fun") == ["task_type,function_name"]
    assert "task_type,task_type" not in complete("failures", "demo", "--by", "task_type,")


def test_values_that_are_known_are_completed_in_any_case() -> None:
    assert complete("list", "demo", "--outcome", "") == ["completed", *schema.OUTCOMES]
    assert complete("list", "demo", "--task-type", "dep") == ["DEPLOY_MODEL"]
    assert complete("list", "demo", "--not-task-type", "dep") == ["DEPLOY_MODEL"]
    assert complete("list", "demo", "--function-name", "km") == ["KMEANS"]
    assert complete("list", "demo", "--state", "fail") == ["FAILED"]
    assert complete("failures", "demo", "--format", "js") == ["json"]
    assert complete("report", "demo", "--fail-on", "lost,new") == ["lost,new_error"]


def test_files_are_left_to_the_shell() -> None:
    assert complete("report", "demo", "-o", "rep") == ["<file>"]
    assert complete("failures", "demo", "--config", "") == ["<file>"]


def test_an_unreadable_configuration_says_nothing_into_the_prompt(folder: Path) -> None:
    (folder / "mltasks.toml").write_text("[[[")
    assert complete("failures", "dem") == ["demo"]


COMPLETE = """
eval "$(_MLTASKS_COMPLETE=bash_source mltasks)"
COMP_WORDS=(mltasks failures demo --by fun) COMP_CWORD=4
_mltasks_completion mltasks
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_a_real_bash_completes(folder: Path) -> None:
    bash = shutil.which("bash")
    assert bash, "bash is part of what the tests need"
    (folder / "bin").mkdir()
    (folder / "bin" / "mltasks").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mltasks "$@"\n')
    (folder / "bin" / "mltasks").chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-c", COMPLETE],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["function_name"]
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mltasks"],
        env={**os.environ, "_MLTASKS_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert f"_MLTASKS_COMPLETE={shell}_complete" in done.stdout
