"""The summary of all reports in a terminal: what needs attention, one row per task type, one row per node."""

from __future__ import annotations

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from mltasks.render import highlights, terminal, terminal_table, wrap
from mltasks.render.page import Page
from mltasks.render.sort_and_top import make_view
from mltasks.reports.highlights import list_untold

MORE = "more; mltasks highlights shows all"


def render(task_types: pd.DataFrame, page: Page, *, width: int | None = None, colour: bool = False) -> str:
    """Return the summary of a page as text, `task_types` being what `page_reports.count_task_types` gives."""
    width = width or terminal.terminal_width()
    types = make_view(task_types)
    parts: list[RenderableType] = [terminal.title(types.info, width)]
    if len(types.frame):
        points = highlights.cut(highlights.find_points(page.tables.get("highlights")), MORE)
        sentences = [point.sentence() for point in points] or [highlights.CALM]
        parts += ["", Text("Needs attention", style="bold")]
        parts += [Text(wrap.wrap_paragraph(sentence, width, "  - ")) for sentence in sentences]
        table = page.tables.get("highlights")
        untold = [] if table is None else list_untold(make_view(table).info.notes)
        parts += [Text(wrap.wrap_paragraph(note, width, "  ? ")) for note in untold]
        parts += ["", terminal_table.make_table(types, width=width)]
        parts += ["", terminal_table.make_table(make_view(page.tables["workers"]), width=width)]
    return terminal.to_text(parts, colour=colour)
