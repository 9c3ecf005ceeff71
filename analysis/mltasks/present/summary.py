"""The summary of all reports in a terminal: what needs attention, a row a task type, a row a node."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from mltasks.present import terminal, text
from mltasks.present.page import Page
from mltasks.present.view import View, view
from mltasks.reports.durations import durations
from mltasks.reports.failures import failures

SHOWN = ("task_type", "tasks", "completed", "failed", "open", "failure_rate", "p50_s", "p95_s")


def render(tasks: Any, page: Page, *, colour: bool = False) -> str:
    """Return the summary of a page as text."""
    rates = view(failures(tasks, by="task_type"))
    times = durations(tasks, by="task_type")
    frame = rates.frame.assign(p50_s=times["p50_s"], p95_s=times["p95_s"])
    overview = View(frame[list(SHOWN)], msgspec.structs.replace(rates.info, report="overview"))
    said = [f"- {text.one_line(point)}" for point in page.attention()] or ["nothing stands out"]
    parts: list[RenderableType] = [Text(terminal.heading(rates.info), style="bold")]
    if len(frame):
        parts += [
            "",
            Text("Needs attention", style="bold"),
            *(Padding(Text(point), (0, 0, 0, 2)) for point in said),
        ]
        parts += ["", terminal.table(overview), "", terminal.table(view(page.tables["workers"]))]
    return terminal.laid_out(parts, colour=colour)
