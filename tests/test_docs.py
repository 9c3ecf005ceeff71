from __future__ import annotations

import re
from pathlib import Path

import pytest

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
    "page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/*.md")], ids=lambda p: p.name
)
def test_a_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
