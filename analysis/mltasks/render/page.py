"""Every report of some tasks, to be saved as a page of HTML, as Markdown or as JSON, and shown in a notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from mltasks import atomic_write
from mltasks.exceptions import UsageError
from mltasks.render import highlights, write
from mltasks.render.json import to_document
from mltasks.render.markdown import markup, to_markdown
from mltasks.render.sort_and_top import make_view
from mltasks.reports import page_reports
from mltasks.reports.registry import REPORTS
from mltasks.tasks.filter_options import RateOptions

SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}


@dataclass(frozen=True, repr=False)
class Page:
    """All reports of some tasks; `report` returns it, and notebooks show it.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        The reports' tables by name.
    """

    tables: dict[str, pd.DataFrame]

    def __repr__(self) -> str:
        """Return what is on the page, on one line."""
        return f"<Page with {', '.join(self.tables)}>"

    def attention(self) -> list[str]:
        """Return what needs attention first, as sentences."""
        return [point.sentence() for point in highlights.find_points(self.tables.get("highlights"))]

    def html(self) -> str:
        """Return the page, which stands alone."""
        from mltasks.render import html

        return html.render_page(self.tables)

    def markdown(self) -> str:
        """Return what needs attention, then a section a report, in Markdown."""
        points = [f"- {markup(point)}" for point in self.attention()] or [highlights.CALM]
        sections = [
            f"## {REPORTS[name].title}\n\n{to_markdown(make_view(table))}"
            for name, table in self.tables.items()
            if name != "highlights"
        ]
        return "\n".join(["# ML Commons tasks", "", *points, "", *sections])

    def json(self) -> str:
        """Return one object: what needs attention, and each report as its command gives it."""
        reports = {name: to_document(make_view(table)) for name, table in self.tables.items()}
        return json.dumps({"attention": self.attention(), "reports": reports}, indent=1, allow_nan=False) + "\n"

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the page to report.html, report.md or report.json; "-" is stdout, as Markdown.

        Raises UsageError for another suffix, and where the file exists and `force` is not set.
        """
        render = getattr(self, page_format(str(path)))
        if str(path) == write.STDOUT:
            write.write(render())
            return
        atomic_write.check_writable(path, force)
        text = render()
        with atomic_write.atomic_path(path, force) as part:
            part.write_text(text, encoding="utf-8")

    def _repr_html_(self) -> str:
        from mltasks.render import html

        return html.render_fragment(self.tables)


def page_format(path: str) -> str:
    """Return the format of a page by the file's suffix; raises UsageError where there is none of it."""
    if path == write.STDOUT:
        return "markdown"
    form = SUFFIXES.get(Path(path).suffix.lower())
    if form is None:
        raise UsageError(f"-o {path}: the page comes as report.html, report.md or report.json; write one of these")
    return form


def report(tasks: Any, *, tz: str = "UTC", as_of: Any = None, **options: Unpack[RateOptions]) -> Page:
    """Return every report of some tasks on one page, to be saved or shown in a notebook.

    Returns
    -------
    Page
        Its `tables` are the reports by name; `save` writes it as HTML, Markdown or JSON.

    Raises
    ------
    UsageError
        For a filter or time that cannot be, and for filters that would change the rate: state, outcome, error.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> page = mltasks.report("demo")
    >>> len(page.tables["failures"])
    19
    >>> page.save("report.html")
    """
    return Page(page_reports.run_reports(tasks, tz=tz, as_of=as_of, **options))
