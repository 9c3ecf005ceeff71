from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mltasks
from mltasks.engines import base, duckdb, pandas, spark
from mltasks.engines.base import Engine
from mltasks.engines.reader import ReadingEngine

TYPED: dict[str, Engine] = {
    "pandas": pandas,
    "duckdb": duckdb,
    "spark": spark,
}  # that each has all of the protocol, mypy checks
READING: tuple[ReadingEngine, ...] = (duckdb, spark)
PACKAGE = Path(mltasks.__file__).parent
# pandas' and Arrow's tables are what users give and get; what is run on them is an engine's business
ENGINE_WORDS = ("duckdb", "spark", "polars", "is_pandas", "implementation")
OTHERS = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "engines"]


def names(module: Path) -> set[str]:
    """Return what a module's code calls things: no comment and no text."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.Import(names=aliases):
                found |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=source, names=aliases):
                found |= {f"{source}.{alias.name}" for alias in aliases}
    return found


def test_every_registered_engine_is_found_by_its_frames() -> None:
    assert set(TYPED) == set(base.ENGINES)
    for name, engine in TYPED.items():
        assert base.import_engine(name) is engine


@pytest.mark.parametrize("module", OTHERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_of_another_folder_names_an_engine(module: Path) -> None:
    named = [name for name in names(module) if any(word in name.lower() for word in ENGINE_WORDS)]
    assert named == []
    assert not {"mltasks.engines.pandas", "mltasks.engines.duckdb"} & names(module)
