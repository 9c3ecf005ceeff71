from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mltasks.cli.main import main
from support.readme import ROOT, code, commands, of_a_cluster

MINE = [line for line in commands() if line[0] == "mltasks" and not of_a_cluster(line)]


def test_the_first_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    assert commands()[:2] == [["make", "report"], ["make", "test"]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nreport: " in makefile
    assert "\ntest: " in makefile


@pytest.mark.parametrize("command", MINE, ids=" ".join)
def test_a_command_of_the_readme_runs_as_it_stands(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command[1:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("block", code())
def test_the_code_of_the_readme_runs_as_it_stands(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"tasks.parquet", "report.html"}


def test_the_installed_package_brings_the_example_data(tmp_path: Path) -> None:
    assert ["pip", "install", "."] in commands()
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(ROOT)]
    subprocess.run(pip, check=True, cwd=tmp_path, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    program = "import mltasks, sys; print(mltasks.__file__); print(len(mltasks.load('demo')))"
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    place, count = done.stdout.split()
    assert Path(place).is_relative_to(target)
    assert count == "552"
