"""Single tasks in a terminal: a line a field, those that are there."""

from __future__ import annotations

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from mltasks.render import cells, terminal, wrap
from mltasks.render.view import View

INDENT = "  "


def render(view: View, *, width: int | None = None, colour: bool = False) -> str:
    """Return the fields of each task that are not missing, times in ISO 8601 UTC; long ones go on in the next line."""
    width = width or terminal.terminal_width()
    names = [str(name) for name in view.frame.columns]
    label = max(map(len, names)) + len(INDENT)
    parts: list[RenderableType] = [terminal.title(view.info, width)]
    parts += [Text(f"\n{_block(view, task, label, width)}") for task in view.frame.to_dict("records")]
    return terminal.to_text(parts, colour=colour)


def _block(view: View, task: dict[object, object], label: int, width: int) -> str:
    shown = {str(name): _value(view, str(name), value) for name, value in task.items() if not cells.is_missing(value)}
    return "\n".join(wrap.wrap_paragraph(value, width, f"{name:<{label}}") for name, value in shown.items())


def _value(view: View, name: str, value: object) -> str:
    return cells.iso(value) if isinstance(value, pd.Timestamp) else cells.cell(view.column(name), value, None)
