"""What a shell completes, through click's own interface, and in the shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from mltasks.cli.main import COMMANDS, group
from mltasks.reports.registry import REPORTS
from mltasks.tasks import schema
from support.missing import fail_or_skip


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


SHELLS = {  # how a shell is asked what a line becomes, without a terminal: what the script of ours tells it
    "bash": """
eval "$(_MLTASKS_COMPLETE=bash_source mltasks)"
compopt() { echo "<$2>"; }
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_mltasks_completion mltasks
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { }
compset() { }
_path_files() { print -r -- "<$1>" }
compadd() { print -rl -- "${(@P)argv[-1]}" }
_describe() { print -rl -- "${(@P)argv[-2]}" }
eval "$(_MLTASKS_COMPLETE=zsh_source mltasks)"
words=("${(z)1}") CURRENT=${#words}
[[ $1 == *' ' ]] && words+=('') && CURRENT=$((CURRENT + 1))
_mltasks_completion
""",
    "fish": """
_MLTASKS_COMPLETE=fish_source mltasks | source
complete -C $argv[1]
""",
}
START = {"bash": ("--norc", "--noprofile", "-c"), "zsh": ("-f", "-c"), "fish": ("--no-config", "-c")}


@pytest.fixture
def in_shell(folder: Path) -> Callable[[str, str], list[str]]:
    """What a shell makes of a line, the cursor at its end."""
    (folder / "bin").mkdir()
    (folder / "bin" / "mltasks").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mltasks "$@"\n')
    (folder / "bin" / "mltasks").chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])

    def complete_in(shell: str, line: str) -> list[str]:
        program = shutil.which(shell)
        if program is None:
            fail_or_skip(f"no {shell} on PATH: install it (apt-get install {shell}) to see what it completes")
        words = [*BREAKS.findall(line), *([""] if line.endswith(" ") else [])]
        arguments = {"bash": ["bash", line, *words], "zsh": ["zsh", line], "fish": [line]}[shell]
        done = subprocess.run(
            [program, *START[shell], SHELLS[shell], *arguments],
            env={**os.environ, "PATH": path, "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stderr == ""
        return [value for value in done.stdout.splitlines() if value]

    return complete_in


BREAKS = re.compile(r"[:=]+|[^ :=]+")  # the words of a line as bash has them


@pytest.mark.parametrize("shell", [*SHELLS])
@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("mltasks failures demo --by fun", ["function_name"]),
        ("mltasks failures demo --by task_type,fun", ["task_type,function_name"]),
        ("mltasks failures demo --by=task_type,fun", ["--by=task_type,function_name"]),
        ("mltasks durations demo --sort p95_s:", ["p95_s:asc", "p95_s:desc"]),
        ("mltasks list https://host:9200 --since 2026-11-24T22:00 --outcome fa", ["failed"]),
        ("mltasks failures pro", ["prod-eu"]),
        ("mltasks failures my", ["my tasks.parquet"]),
        ("mltasks failures demo --engine ", ["duckdb", "spark"]),
        ("mltasks get demo ", []),
    ],
)
def test_a_real_shell_completes(
    in_shell: Callable[[str, str], list[str]], folder: Path, shell: str, line: str, values: list[str]
) -> None:
    (folder / "my tasks.parquet").touch()
    if shell == "bash":  # completes what stands behind = and :, and takes a backslash before a blank
        values = [re.split("[=:]", value)[-1].replace(" ", "\\ ") for value in values]
    assert in_shell(shell, line) == values


@pytest.mark.parametrize("shell", [*SHELLS])
def test_a_real_shell_completes_files_and_says_nothing_of_a_configuration_that_is_not_used(
    in_shell: Callable[[str, str], list[str]], folder: Path, shell: str
) -> None:
    (folder / "mltasks.toml").chmod(0o666)
    found = {"bash": ["<default>"], "zsh": ["<-f>"]}
    assert in_shell(shell, "mltasks report demo -o not") == found.get(shell, ["notes.txt"])
    if shell == "fish":
        assert in_shell(shell, "mltasks report demo --output=not") == ["--output=notes.txt"]
    assert in_shell(shell, "mltasks failures d") == ["demo"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_that_shows_help_shows_what_each_command_does(
    in_shell: Callable[[str, str], list[str]], shell: str
) -> None:
    said = dict(re.split("[:\t]", line, maxsplit=1) for line in in_shell(shell, "mltasks "))
    assert said == {name: text for name, (_, text) in COMMANDS.items()}


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
