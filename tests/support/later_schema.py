"""mltasks as a later version would be: its task table has one more column of every kind.

The module `tasks/schema.py` is read as it is, with more lines in its table, before anything else of mltasks is
imported. As a plugin of pytest (`-p support.later_schema`) it makes any test run on such a version.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

KINDS = ("text", "json", "nodes", "time", "flag", "number", "integer")
MORE = {f"later_{kind}": kind for kind in KINDS}
END = ")\nDERIVED = ("


def install() -> None:
    """Make the package import the longer schema."""
    assert "mltasks.tasks.schema" not in sys.modules
    name = "mltasks.tasks.schema"
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text("utf-8")
    assert text.count(END) == 1
    lines = "".join(f'    Column("{column}", "{kind}", "of a later version"),\n' for column, kind in MORE.items())
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(text.replace(END, lines + END), spec.origin, "exec"), module.__dict__)
    sys.modules["mltasks.tasks"].schema = module  # type: ignore[attr-defined]


install()
