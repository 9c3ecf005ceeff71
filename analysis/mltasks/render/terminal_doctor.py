"""What the doctor found, in a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

from mltasks.opensearch.diagnostics import Check
from mltasks.render import cells

SIGNS = {"ok": "ok", "missing": "--", "problem": "!!"}


def render(name: str, checks: Iterable[Check]) -> str:
    """Return a line a finding, its proposal below it; nothing is wider than the terminal, else 80 columns."""
    width = shutil.get_terminal_size().columns
    lines = [name]
    for one in checks:
        head = f"{SIGNS[one.state]:<4}{one.name:<15}"
        lines += textwrap.wrap(cells.one_line(one.said), width, initial_indent=head, subsequent_indent=" " * 19)
        if one.remedy:
            lines += textwrap.wrap(
                cells.one_line(one.remedy), width, initial_indent=f"{'':<19}-> ", subsequent_indent=" " * 22
            )
    return "\n".join(lines) + "\n"
