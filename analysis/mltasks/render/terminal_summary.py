"""The summary of all reports in a terminal: what needs attention, a row a task type, a row a node."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from mltasks.render import highlights as attention
from mltasks.render import terminal
from mltasks.render import wrap as layout
from mltasks.render.html import Page
from mltasks.render.view import View, view
from mltasks.reports import report_info as result
from mltasks.reports.durations import durations

COLUMNS = ("task_type", "tasks", "completed", "failed", "open", "failure_rate", "p50_s", "p95_s")


def render(tasks: Any, page: Page, *, width: int | None = None, colour: bool = False) -> str:
    """Return the summary of a page as text."""
    width = width or terminal.terminal_width()
    types = view(durations(tasks, by="task_type"))  # which has the counts, too, that make a rate
    parts: list[RenderableType] = [terminal.title(types.info, width)]
    if len(types.frame):
        frame = result.with_rates(types.frame)[list(COLUMNS)]
        overview = View(frame, msgspec.structs.replace(types.info, report="overview"))
        points = attention.cut(page.attention(), "more; mltasks failures shows all") or [attention.CALM]
        parts += ["", Text("Needs attention", style="bold")]
        parts += [Text(layout.prose(point, width, "  - ")) for point in points]
        parts += ["", terminal.table(overview, width=width)]
        parts += ["", terminal.table(view(page.tables["workers"]), width=width)]
    return terminal.laid_out(parts, colour=colour)
