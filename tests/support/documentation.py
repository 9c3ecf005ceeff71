"""The examples in the documentation: commands on the example data, and the output that follows them.

`python -m support.documentation` writes the outputs as they are now.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from mltasks.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"```console\n\$ (mltasks [^\n]*\bdemo\b[^\n]*)\n([^$].*?)```", re.DOTALL)


class Example(NamedTuple):
    """A command of a page and the output that the page shows."""

    page: str
    command: str
    output: str


def pages() -> list[Path]:
    """Return the pages of the site."""
    return sorted(DOCS.rglob("*.md"))


def examples() -> list[Example]:
    """Return the commands that are shown with their output."""
    return [
        Example(str(page.relative_to(ROOT)), *match.groups())
        for page in (ROOT / "README.md", *pages())
        for match in BLOCK.finditer(page.read_text("utf-8"))
    ]


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a language in a page."""
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(command: str) -> str:
    """Return what a command writes to a terminal of 80 columns."""
    stdout = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": "80"}), redirect_stdout(stdout):
        main.main(shlex.split(command)[1:])
    return "\n".join(line.rstrip() for line in stdout.getvalue().splitlines()) + "\n"


def rewrite() -> None:
    """Write the outputs of all examples as they are now."""
    for page in (ROOT / "README.md", *pages()):
        text = page.read_text("utf-8")
        page.write_text(BLOCK.sub(lambda match: f"```console\n$ {match[1]}\n{run(match[1])}```", text), "utf-8")


if __name__ == "__main__":
    rewrite()
