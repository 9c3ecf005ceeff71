"""How things are called: functions by what they do, values by nouns; few modules in the root, none of them long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mltasks

PACKAGE = Path(mltasks.__file__).parent
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
PARTICIPLE = re.compile(
    r"(?!un)[a-z]{2,}(ed|ing)$|(built|chosen|found|given|gone|held|kept|known|made|met|said|seen|told)$"
)
NOT_ONE = (
    "drawing",
    "encoding",
    "finding",
    "nothing",
    "reading",
    "ring",
    "string",
)  # nouns; with un- it is an adjective
PREPOSITIONS = (
    *("above", "after", "at", "before", "behind", "below", "beside", "between", "beyond", "by", "for", "from", "in"),
    *("into", "of", "on", "onto", "over", "per", "since", "than", "to", "under", "until", "with", "within", "without"),
)
MEANS_NOTHING = ("found", "known", "some", "told")  # a local is a noun that says what it holds
LONGEST = 255  # lines of a module


def functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module, but for properties: they are values."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(each) for each in node.decorator_list}
            if not decorators & {"property", "cached_property"}:
                yield node


def words(name: str) -> list[str]:
    return [word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name.strip("_")) if word]


@pytest.mark.parametrize("module", MODULES)
def test_no_function_begins_with_a_participle_or_is_a_bare_preposition(module: str) -> None:
    for function in functions(ast.parse(MODULES[module].read_text("utf-8"))):
        first, *rest = words(function.name) or [""]
        participle = PARTICIPLE.match(first) and first not in NOT_ONE
        assert not participle, f"{module}: {function.name} begins with a participle; begin with a verb"
        assert rest or first not in PREPOSITIONS, f"{module}: {function.name} is a bare preposition"


@pytest.mark.parametrize("module", MODULES)
def test_no_class_is_a_bare_participle(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            first, *rest = words(node.name)
            assert rest or first in NOT_ONE or not PARTICIPLE.match(first), (
                f"{module}: {node.name} needs the noun that it is"
            )


@pytest.mark.parametrize("module", MODULES)
def test_no_local_is_called_by_a_word_that_means_nothing(module: str) -> None:
    stored = {
        node.id
        for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert not stored & {*MEANS_NOTHING}, f"{module}: name what {stored & {*MEANS_NOTHING}} holds"


def test_the_root_of_the_package_has_nine_modules_at_most_and_none_is_long() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= 9
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}
