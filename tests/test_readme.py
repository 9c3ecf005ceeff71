"""The README's commands as its readers type them: in a shell, from a checkout; those of clusters are in tests/live."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import documentation
from support.readme import ROOT, code, commands, lines, of_a_cluster

FIRST = ["make report", "make test"]
SEPARATE = [FIRST[1], "pip install ."]  # this suite, and a test below
TYPED = [line for line in lines() if not of_a_cluster(shlex.split(line, comments=True))]
MARK = "--- command "
COVERS = (  # the sentence that every output begins with; its times and filters differ
    r"\d+ tasks? of ml-fixture, created 2026-11-24 2\d:\d\d-2\d:\d\d UTC \(.+?\), "
    r"as of 2026-11-24 22:15 UTC \(assumed\).*"
)
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.html", "tests", "notebooks", "benchmarks")


def strip_ends(text: str) -> str:
    """Return a text without the blanks at the ends of its lines, which a page does not have."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of this checkout, with the environment of these tests as the one that make has installed."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    (copy / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (copy / ".venv" / part.name).symlink_to(part)
    (copy / ".venv" / ".installed").unlink(missing_ok=True)
    (copy / ".venv" / ".installed").touch()
    return copy


def test_the_first_screen_works_in_a_shell_as_it_is_printed(checkout: Path) -> None:
    assert [shlex.join(shlex.split(line, comments=True)) for line in TYPED[:2]] == FIRST
    typed = [line for line in TYPED if shlex.join(shlex.split(line, comments=True)) not in SEPARATE]
    assert len(typed) >= 8
    where = {name: value for name, value in os.environ.items() if not name.startswith(("MLTASKS_", "VIRTUAL_ENV"))}
    where["PATH"] = os.pathsep.join(p for p in where["PATH"].split(os.pathsep) if Path(p) != Path(sys.prefix, "bin"))
    where |= {"COLUMNS": "80", "HOME": str(checkout)}
    shell = ["bash", "--norc", "--noprofile", "-e"]
    said = "\n".join(f"echo {MARK}{number}\n{line}" for number, line in enumerate(typed))
    done = subprocess.run(shell, input=said, cwd=checkout, env=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outputs = re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    shown = {example.command: example.output for example in documentation.examples() if example.page == "README.md"}
    assert shown
    for line, output in zip(typed, outputs, strict=True):
        words = shlex.split(line, comments=True)
        if line in shown:
            assert strip_ends(output) == shown[line]
        elif (
            words[0] == "mltasks" and words[1] != "get" and words[1:3] != ["check", "--init"]
        ):  # whole lines, with what depends on the filters masked
            assert re.fullmatch(COVERS, " ".join(output.splitlines()[:3])[:300].strip()), (line, output)
    assert {"report.html", "page.html"} <= {path.name for path in checkout.iterdir()}


def test_every_command_is_run_by_a_test() -> None:
    run_here = {"make", "source", "mltasks", "export", "pip"}
    assert {line[0] for line in commands()} <= run_here
    assert {line[0] for line in commands() if of_a_cluster(line)} == {"mltasks"}


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
