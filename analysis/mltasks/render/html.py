"""Every report on one HTML page that stands alone: no script, no network, everything escaped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from mltasks import atomic_write
from mltasks.render import cells, header, highlights, terminal_table
from mltasks.render.view import View, make_view
from mltasks.reports import overview
from mltasks.reports.registry import REPORTS
from mltasks.tasks.filters import RateOptions


@dataclass(frozen=True)
class Page:
    """All reports of some tasks: `tables` by name, as DataFrames; `save` writes the page."""

    tables: dict[str, pd.DataFrame]

    def attention(self) -> list[str]:
        """Return what needs attention first, as sentences."""
        return highlights.find_points(make_view(self.tables["failures"]))

    def html(self) -> str:
        """Return the page."""
        views = {name: make_view(frame) for name, frame in self.tables.items()}
        notes = dict.fromkeys(note for shown in views.values() for note in shown.info.notes)
        info = views["failures"].info
        found: str = _template().render(
            heading=header.covers_line(info),
            attention=highlights.cut(self.attention(), "more in the tables"),
            calm=highlights.CALM,
            sections=[_section(REPORTS[name].title, shown) for name, shown in views.items()] if info.tasks else [],
            notes=[cells.one_line(note) for note in notes],
            sources=cells.one_line(", ".join(info.sources)),
            count=f"{info.tasks:,} {'task' if info.tasks == 1 else 'tasks'}",
            version=metadata.version("mltasks"),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )
        return found

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the page; raises UsageError where the file exists and `force` is not set."""
        atomic_write.check_writable(path, force)
        found = self.html()
        with atomic_write.atomic_path(path, force) as part:
            part.write_text(found, encoding="utf-8")

    def _repr_html_(self) -> str:
        return self.html()


def report(tasks: Any, *, as_of: Any = None, **options: Unpack[RateOptions]) -> Page:
    """Return every report of some tasks on one page; see `failures`, `durations` and `workers`."""
    return Page(overview.run_reports(tasks, as_of=as_of, **options))


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mltasks", "render"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2")


def _section(title: str, shown: View) -> dict[str, Any]:
    """Return a report for the template: its figure, and its cells as texts, each with whether it is words."""
    from markupsafe import Markup

    from mltasks.render.plot import figure

    names = [str(name) for name in shown.frame.columns]
    words = [shown.is_words(name) for name in names]
    columns = [[shown.cell(name, value) for value in shown.frame[name]] for name in names]
    labels = [terminal_table.label(name, word).replace("\n", " ") for name, word in zip(names, words, strict=True)]
    return {
        "title": title,
        "figure": Markup(figure.svg(shown))
        if len(shown.frame) and REPORTS[shown.info.report].figure
        else "",  # matplotlib has escaped what is in it
        "names": list(zip(labels, words, strict=True)),
        "rows": [list(zip(row, words, strict=True)) for row in zip(*columns, strict=True)],
    }
