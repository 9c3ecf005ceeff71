"""What is imported is declared, and each declaration says what it is for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
NAMES = {"opensearchpy": "opensearch-py"}  # what a package is called that is imported by another name
EXTRAS = {"botocore"}  # imported only where somebody has asked for it: mltasks[aws]
ANYBODYS = {"polars", "pyspark"}  # frames are known by the names of their modules, which are not imported for that
TYPES = {"_typeshed"}  # of the type checker alone, never there when the code runs


def imported(folder: Path) -> dict[str, Path]:
    """Return the packages that modules import, and one module that does."""
    found = dict[str, Path]()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found |= {name.partition(".")[0]: path for name in names}
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names and name != "mltasks"}


def declared(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!;\[ ]", line, maxsplit=1)[0].lower() for line in requirements}


def test_what_is_imported_is_declared() -> None:
    packages = {NAMES.get(name, name) for name in imported(ROOT / "analysis")} - EXTRAS - ANYBODYS - TYPES
    assert packages == declared(PROJECT["dependencies"])


@pytest.mark.parametrize(
    "line",
    [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"], *PROJECT["optional-dependencies"]["docs"]],
)
def test_a_dependency_has_a_floor_no_ceiling_and_a_reason(line: str) -> None:
    assert ">=" in line
    assert "<" not in line
    assert "==" not in line.partition(";")[0]
    assert re.search(rf'^    "{re.escape(line)}",\s+# \S+', PYPROJECT, re.MULTILINE)
