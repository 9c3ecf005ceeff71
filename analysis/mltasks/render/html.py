"""Reports as HTML: a page that stands alone, or an element for a notebook; everything escaped, nothing fetched."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import pandas as pd

from mltasks.render import cells, header, highlights, page_head, page_sections
from mltasks.render.sections import make_section
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import verdict_line
from mltasks.reports.findings.finding import Commands
from mltasks.reports.highlights import NOT_LOOKED_AT, list_untold
from mltasks.reports.registry import REPORTS
from mltasks.tasks.plural import plural

NAME = re.compile(r"\b[A-Z][A-Z0-9]*+(?:_[A-Z0-9]++)++")
LONG_WORD = re.compile(r"[^\s<>&]{20,}")  # that is too long for a phone
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
BREAK = re.compile(r"(?<=\w)[._,/](?=\w)")


def render_page(tables: Mapping[str, pd.DataFrame], refresh: int | None = None) -> str:
    """Return every report on one page that stands alone; `refresh`: it is read again after so many seconds."""
    from markupsafe import Markup

    script: str = _environment().get_template("script.js.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _render("page.html.j2", tables, tools=True, refresh=refresh, script=Markup(script), script_hash=digest)


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
    info = views["failures"].info
    noted = views.values() if info.tasks else [views[name] for name in ("highlights",) if name in views]
    notes = dict.fromkeys(note for view in noted for note in view.info.notes if note != NOT_LOOKED_AT)
    sections = page_sections.make_sections(tables) if info.tasks else []
    points = highlights.find_points(tables.get("highlights"))
    attention = page_head.describe_points(tables, points, sections)
    first = len(attention) if len(attention) <= highlights.MOST + 1 else highlights.MOST  # one more is not hidden
    headline_note = " ".join(views["headline"].info.notes) if "headline" in views else ""
    untold = list_untold(views["highlights"].info.notes) if "highlights" in views and info.tasks else []
    kinds = {point.kind for point in points}
    text: str = (
        _environment()
        .get_template(template)
        .render(
            sources=cells.one_line(", ".join(info.sources)),
            heading=header.covers_line(info),
            whole=("incomplete" if "incomplete" in kinds else "complete") if info.tasks else "",
            verdict=_verdict(tables.get("highlights"), info.tasks),
            attention=attention[:first],
            others=attention[first:],
            headline=page_head.make_tiles(tables.get("headline")) if info.tasks else [],
            headline_note=headline_note,
            untold=[cells.one_line(note) for note in untold if note not in headline_note],
            sections=sections,
            notes=[cells.one_line(note) for note in notes if note not in (headline_note, *untold)],
            command=cells.one_line(Commands(info.source, info.filters).show("report", "-o report.html")),
            count=f"{info.tasks:,} {plural(info.tasks)}",
            version=metadata.version("mltasks"),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            **more,
        )
    )
    return text


def _verdict(table: pd.DataFrame | None, tasks: int) -> verdict_line.Verdict:
    if not tasks:
        return verdict_line.Verdict("none", "There is no task, and so nothing to report.")
    return verdict_line.write_verdict(pd.DataFrame({"kind": [], "count": []}) if table is None else table)


@functools.cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mltasks", "render/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"breakable": _breakable, "options": _keep_options}
    return environment


def _breakable(text: str) -> Any:
    """Return a text whose names in capitals, and whose long words, may be broken where a column is narrow.

    Names are broken behind an underscore, long words behind a dot, a comma or a slash, too.
    """
    from markupsafe import Markup, escape

    named = NAME.sub(lambda name: name.group().replace("_", "_<wbr>"), str(escape(text)))
    return Markup(LONG_WORD.sub(lambda word: BREAK.sub(r"\g<0><wbr>", word.group()), named))


def _keep_options(text: str) -> Any:
    """Return a text whose options, such as --since, are not broken at their hyphens."""
    from markupsafe import Markup, escape

    return Markup(OPTION.sub(r'<span class="option">\g<0></span>', str(escape(text))))
