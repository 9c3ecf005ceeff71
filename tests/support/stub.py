"""Write `mltasks/__init__.pyi`: the public names for editors and type checkers, from the functions themselves.

`make format` does it. The filters are declared once, in `tasks/filter_declarations.py`, and the reports in their
registry; here both become signatures that an editor can complete. Only the first line of a docstring is repeated:
`help` has all of it.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import mltasks

STUB = Path(mltasks.__file__).with_suffix(".pyi")
START = '''"""The public names of mltasks; written by `make format`, from the functions themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.opensearch.access import Query
from mltasks.tasks.filter_options import Words
from mltasks.tasks.times import Moment
'''


def text() -> str:
    """Return the stub, not yet formatted."""
    public = {name: getattr(mltasks, name) for name in mltasks.__all__}
    functions = {name: value for name, value in public.items() if isinstance(value, FunctionType)}
    imports = [_import(name, value) for name, value in public.items() if name not in functions]
    names = [f"__all__ = {mltasks.__all__!r}", "__version__: str"]
    return "\n\n".join([START + "\n".join(imports), *names, *map(_function, functions, functions.values())]) + "\n"


def _import(name: str, value: Any) -> str:
    if isinstance(value, ModuleType):
        folder, _, module = mltasks._NAMESPACES[name][0].rpartition(".")  # type: ignore[attr-defined]
        return f"from mltasks.{folder} import {module} as {name}"
    return f"from {value.__module__} import {name} as {name}"


def _function(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {parameter.annotation}{default}")
    summary = inspect.cleandoc(function.__doc__).splitlines()[0]
    return f'def {name}({", ".join(parts)}) -> {signature.return_annotation}:\n    """{summary}"""\n'


def main() -> None:
    """Write the file, its imports in order."""
    STUB.write_text(_ruff(_ruff(text(), "check", "--quiet", "--select", "I", "--fix"), "format"), encoding="utf-8")


def _ruff(source: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
