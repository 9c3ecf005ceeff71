"""Reports as HTML: a page that stands alone, or an element for a notebook; everything escaped, nothing fetched."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import pandas as pd

from mltasks.render import bars, cells, header, highlights
from mltasks.render.sections import make_section
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import page_reports
from mltasks.reports.registry import REPORTS

MORE = "more; mltasks highlights shows all"


def render_page(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return every report on one page that stands alone."""
    from markupsafe import Markup

    script: str = _environment().get_template("script.js.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _render("page.html.j2", tables, tools=True, script=Markup(script), script_hash=digest)  # ours


def render_fragment(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return every report as an element for a notebook; its style touches nothing beside it."""
    return _render("reports.html.j2", tables, tools=False)


def render_report(view: View) -> str:
    """Return one report as an element for a notebook: figure, table with units, what it covers, notes."""
    from markupsafe import Markup

    from mltasks.render.plot import figure

    drawn = view.info.report in REPORTS and REPORTS[view.info.report].figure and len(view.frame)
    picture = Markup(figure.svg(view)) if drawn else ""  # matplotlib has escaped what is in it
    text: str = (
        _environment()
        .get_template("report.html.j2")
        .render(
            heading=header.covers_line(view.info),
            section=make_section(view, figure=picture),
            notes=[cells.one_line(note) for note in view.info.notes],
        )
    )
    return text


def _render(template: str, tables: Mapping[str, pd.DataFrame], **more: Any) -> str:
    views = {name: make_view(frame) for name, frame in tables.items()}
    notes = dict.fromkeys(note for view in views.values() for note in view.info.notes)
    info = views["failures"].info
    sections = [_section(view) for name, view in views.items() if name != "highlights"] if info.tasks else []
    points = highlights.find_points(tables.get("highlights"))
    text: str = (
        _environment()
        .get_template(template)
        .render(
            heading=header.covers_line(info),
            verdict=_verdict(len(points)),
            attention=[(point, _target(point, sections)) for point in highlights.cut(points, MORE)],
            calm=highlights.CALM,
            headline=[_tile(*number) for number in page_reports.count_headline(tables)] if info.tasks else [],
            sections=sections,
            notes=[cells.one_line(note) for note in notes],
            sources=cells.one_line(", ".join(info.sources)),
            count=f"{info.tasks:,} {'task' if info.tasks == 1 else 'tasks'}",
            version=metadata.version("mltasks"),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            **more,
        )
    )
    return text


def _section(view: View) -> dict[str, Any]:
    chart = bars.place_periods(view.frame, view.info.marks) if view.info.report == "timeline" else None
    return make_section(view, chart)


def _target(point: highlights.Point, sections: list[dict[str, Any]]) -> str:
    """Return the id of the row that a point is of, or of its report where the table is cut before it."""
    if point.report is None or point.row is None:
        return ""
    rows = {section["name"]: [row["id"] for row in section["rows"]] for section in sections}
    row = highlights.anchor(point.report, point.row)
    return row if row in rows.get(point.report, []) else point.report if point.report in rows else ""


def _verdict(points: int) -> str:
    if not points:
        return "What needs attention"
    return "One thing needs attention" if points == 1 else f"{points} things need attention"


def _tile(label: str, value: int, bad: bool) -> dict[str, Any]:
    return {"label": label, "value": f"{value:,}", "bad": bad and value > 0}


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
