"""Every report on one HTML page that stands alone: no script, no network, everything escaped."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import pandas as pd

from mltasks.render import cells, header, highlights, terminal_table
from mltasks.render.view import View, make_view
from mltasks.reports.registry import REPORTS


def render_page(tables: Mapping[str, pd.DataFrame], attention: list[str]) -> str:
    """Return every report on one page that stands alone."""
    return _render("page.html.j2", tables, attention)


def render_fragment(tables: Mapping[str, pd.DataFrame], attention: list[str]) -> str:
    """Return every report as an element for a notebook; its style touches nothing beside it."""
    return _render("reports.html.j2", tables, attention)


def render_report(view: View) -> str:
    """Return one report as an element for a notebook: what it covers, figure, table with units, notes."""
    text: str = (
        _environment()
        .get_template("report.html.j2")
        .render(
            heading=header.covers_line(view.info),
            section=_section(_title(view), view),
            notes=[cells.one_line(note) for note in view.info.notes],
        )
    )
    return text


def _render(template: str, tables: Mapping[str, pd.DataFrame], attention: list[str]) -> str:
    views = {name: make_view(frame) for name, frame in tables.items()}
    notes = dict.fromkeys(note for shown in views.values() for note in shown.info.notes)
    info = views["failures"].info
    text: str = (
        _environment()
        .get_template(template)
        .render(
            heading=header.covers_line(info),
            attention=highlights.cut(attention, "more in the tables"),
            calm=highlights.CALM,
            sections=[_section(_title(view), view) for view in views.values()] if info.tasks else [],
            notes=[cells.one_line(note) for note in notes],
            sources=cells.one_line(", ".join(info.sources)),
            count=f"{info.tasks:,} {'task' if info.tasks == 1 else 'tasks'}",
            version=metadata.version("mltasks"),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )
    )
    return text


def _title(view: View) -> str:
    return REPORTS[view.info.report].title if view.info.report in REPORTS else view.info.report


@functools.cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("mltasks", "render/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _section(title: str, shown: View) -> dict[str, Any]:
    """Return a report for the template: its figure, and its cells as texts, each with whether it is words."""
    from markupsafe import Markup

    from mltasks.render.plot import figure

    has_figure = shown.info.report in REPORTS and REPORTS[shown.info.report].figure
    names = [str(name) for name in shown.frame.columns]
    words = [shown.is_words(name) for name in names]
    columns = [[shown.cell(name, value) for value in shown.frame[name]] for name in names]
    labels = [terminal_table.label(name, word).replace("\n", " ") for name, word in zip(names, words, strict=True)]
    return {
        "title": title,
        "figure": Markup(figure.svg(shown)) if len(shown.frame) and has_figure else "",  # matplotlib has escaped it
        "names": list(zip(labels, words, strict=True)),
        "rows": [list(zip(row, words, strict=True)) for row in zip(*columns, strict=True)],
    }
