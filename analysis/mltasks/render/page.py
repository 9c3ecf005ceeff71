"""Every report of some tasks, to be saved as a page of HTML, as Markdown or as JSON, and shown in a notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from mltasks.object_storage import output
from mltasks.render import highlights, write
from mltasks.render.json import to_document
from mltasks.render.sort_and_top import make_view
from mltasks.reports import page_reports
from mltasks.reports.verdict_line import write_verdict
from mltasks.tasks.filter_options import RateOptions


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

    def html(self, *, refresh: int | None = None) -> str:
        """Return the page, which stands alone; with `refresh`, browsers read it again after so many seconds."""
        from mltasks.render import html

        return html.render_page(self.tables, refresh)

    def markdown(self) -> str:
        """Return verdict, what needs attention, numbers and the worst rows, in less than 4,000 characters."""
        from mltasks.render import page_markdown

        return page_markdown.write_markdown(self.tables)

    def json(self) -> str:
        """Return one object: the verdict, what needs attention, and each report whole, as its command gives it."""
        reports = {name: to_document(make_view(table)) for name, table in self.tables.items()}
        verdict = write_verdict(self.tables["highlights"]).text if "highlights" in self.tables else None
        page = {"verdict": verdict, "attention": self.attention(), "reports": reports}
        return json.dumps(page, indent=1, allow_nan=False) + "\n"

    def save(self, path: str | Path, *, force: bool = False, refresh: int | None = None) -> None:
        """Write the page to report.html, report.md or report.json; "-" is stdout, as Markdown.

        With `refresh`, browsers read the HTML page again after so many seconds, for a screen on a wall. Raises
        UsageError for another suffix, and where the file exists and `force` is not set.
        """
        form = write.page_format(str(path), refresh)
        render = partial(self.html, refresh=refresh) if form == "html" else getattr(self, form)
        if str(path) == write.STDOUT:
            write.write(render())
            return
        output.check_writable(path, force)
        text = render()
        with output.atomic_path(path, force) as part:
            part.write_text(text, encoding="utf-8")

    def _repr_html_(self) -> str:
        from mltasks.render import html

        return html.render_fragment(self.tables)


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
