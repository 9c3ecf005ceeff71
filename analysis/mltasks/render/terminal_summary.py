"""The summary of all reports in a terminal: what needs attention, one row per task type, one row per node."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from mltasks.render import highlights, terminal, wrap
from mltasks.render.html import Page
from mltasks.render.view import View, make_view
from mltasks.reports import report_info
from mltasks.reports.durations import durations

COLUMNS = ("task_type", "tasks", "completed", "failed", "open", "failure_rate", "p50_s", "p95_s")


def render(tasks: Any, page: Page, *, width: int | None = None, colour: bool = False) -> str:
    """Return the summary of a page as text."""
    width = width or terminal.terminal_width()
    types = make_view(durations(tasks, by="task_type"))  # which has the counts, too, that make a rate
    parts: list[RenderableType] = [terminal.title(types.info, width)]
    if len(types.frame):
        frame = report_info.with_rates(types.frame)[list(COLUMNS)]
        overview = View(frame, msgspec.structs.replace(types.info, report="overview"))
        points = highlights.cut(page.attention(), "more; mltasks failures shows all") or [highlights.CALM]
        parts += ["", Text("Needs attention", style="bold")]
        parts += [Text(wrap.wrap_paragraph(point, width, "  - ")) for point in points]
        parts += ["", terminal.table(overview, width=width)]
        parts += ["", terminal.table(make_view(page.tables["workers"]), width=width)]
    return terminal.to_text(parts, colour=colour)
