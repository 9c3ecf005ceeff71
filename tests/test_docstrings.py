"""Every public name is documented as numpydoc has it, and its examples run."""

from __future__ import annotations

import doctest
import inspect
import re
import warnings
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import mltasks
from mltasks.reports.registry import REPORTS
from mltasks.tasks import filter_declarations

NAMES = mltasks.__all__
FUNCTIONS = [name for name in NAMES if isinstance(getattr(mltasks, name), FunctionType)]
MADE_BY_USERS = ("Access", "Cluster", "Credentials", "Store")
RETURNED = ("Context", "Dataset", "Page", "SyncResult")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECTION = re.compile(r"^([A-Z][a-z]+)\n-+$", re.MULTILINE)


def sections(value: Any) -> dict[str, str]:
    """Return the sections of a docstring by name; "" is what stands before them."""
    pieces = SECTION.split(inspect.getdoc(value) or "")
    return {"": pieces[0]} | dict(zip(pieces[1::2], pieces[2::2], strict=True))


def entries(section: str) -> list[str]:
    """Return the names that a section describes."""
    return [
        name for line in re.findall(r"^(\S.*?)(?: :.*)?$", section.strip(), re.MULTILINE) for name in line.split(", ")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_of_a_docstring_is_a_sentence(name: str) -> None:
    first, *rest = (inspect.getdoc(getattr(mltasks, name)) or "").splitlines()
    assert first.endswith("."), "the first line is a whole sentence"
    assert first[0].isupper()
    assert not rest or rest[0] == "", "a blank line follows"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_documents_its_parameters_result_errors_and_use(name: str) -> None:
    function = getattr(mltasks, name)
    parts = sections(function)
    assert entries(parts["Parameters"]) == [*inspect.signature(function).parameters]
    assert inspect.signature(function).return_annotation == "None" or parts["Returns"].strip()
    assert parts["Raises"].strip()
    assert ">>> " in parts["Examples"]
    order = ["", "Parameters", "Returns", "Raises", "Warns", "Notes", "Examples"]
    assert [*parts] == [section for section in order if section in parts], "the order of numpydoc"


@pytest.mark.parametrize("name", [*REPORTS])
def test_a_report_documents_every_column_with_its_unit(name: str) -> None:
    text = " ".join(sections(getattr(mltasks, name))["Returns"].split())
    for column in REPORTS[name].columns:
        unit = f" [{column.unit}]" if column.unit else ""
        assert f"{column.name}{unit}: {column.note}" in text or column.name in REPORTS[name].keys


def test_the_help_of_load_says_what_each_filter_matches() -> None:
    text = " ".join(sections(mltasks.load)["Parameters"].split())
    for name, words in filter_declarations.HELP.items():
        assert f"{name} : " in text
        assert words in text


@pytest.mark.parametrize("name", MADE_BY_USERS)
def test_a_class_documents_what_it_takes(name: str) -> None:
    described = entries(sections(getattr(mltasks, name))["Parameters"])
    assert described == [*inspect.signature(getattr(mltasks, name)).parameters]
    assert ">>> " in sections(getattr(mltasks, name))["Examples"]


@pytest.mark.parametrize("name", RETURNED)
def test_a_class_that_is_returned_documents_its_fields(name: str) -> None:
    described = entries(sections(getattr(mltasks, name))["Attributes"])
    assert described == [*inspect.signature(getattr(mltasks, name)).parameters]


@pytest.mark.parametrize("name", [name for name in NAMES if ">>>" in (getattr(mltasks, name).__doc__ or "")])
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    text = inspect.getdoc(getattr(mltasks, name)) or ""
    test = doctest.DocTestParser().get_doctest(text, {"mltasks": mltasks}, name, None, None)
    said: list[str] = []
    with warnings.catch_warnings():
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert not said, "".join(said)
