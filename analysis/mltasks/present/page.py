"""Every report on one HTML page that stands alone: no script, no network, everything escaped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Unpack

import jinja2
import pandas as pd
from markupsafe import Markup

from mltasks import files
from mltasks.filters import RateOptions
from mltasks.present import attention, plot, text
from mltasks.present.terminal import heading
from mltasks.present.view import View, view
from mltasks.reports.durations import durations
from mltasks.reports.failures import failures
from mltasks.reports.workers import workers

TITLES = {
    "failures": "Failure rates",
    "durations": "Durations",
    "workers": "Worker nodes",
}


@dataclass(frozen=True)
class Page:
    """All reports of some tasks: `tables` by name, as DataFrames; `save` writes the page."""

    tables: dict[str, pd.DataFrame]

    def views(self) -> dict[str, View]:
        """Return the tables as they are shown."""
        return {name: view(frame) for name, frame in self.tables.items()}

    def attention(self) -> list[str]:
        """Return what needs attention first, as sentences."""
        return attention.points(self.views()["failures"])

    def html(self) -> str:
        """Return the page."""
        views = self.views()
        notes = dict.fromkeys(note for shown in views.values() for note in shown.info.notes)
        template = _environment().get_template("page.html.j2")
        return template.render(
            heading=heading(views["failures"].info),
            attention=self.attention(),
            sections=[
                {"title": TITLES[name], "figure": Markup(plot.svg(shown)), "rows": _rows(shown)}
                for name, shown in views.items()
            ],
            notes=[text.harmless(note) for note in notes],
            info=views["failures"].info,
            as_of=attention.as_of(views["failures"]),
            version=metadata.version("mltasks"),
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the page; raises UsageError where the file exists and `force` is not set."""
        files.check(path, force)
        found = self.html()
        with files.replacing(path, force) as part:
            part.write_text(found, encoding="utf-8")

    def _repr_html_(self) -> str:
        return self.html()


def report(tasks: Any, *, as_of: Any = None, **options: Unpack[RateOptions]) -> Page:
    """Return every report of some tasks on one page; see `failures`, `durations` and `workers`."""
    made = {
        "failures": failures(tasks, as_of=as_of, **options),
        "durations": durations(tasks, as_of=as_of, **options),
        "workers": workers(tasks, as_of=as_of, **options),
    }
    return Page(made)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("mltasks", "present"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _rows(shown: View) -> dict[str, Any]:
    as_of_ms = shown.info.as_of_ms
    names = list(shown.frame.columns)
    words = [name in shown.keys or pd.api.types.is_string_dtype(shown.frame[name]) for name in names]
    rows = []
    for row in shown.frame.itertuples(index=False):
        pairs = zip(names, row, strict=True)
        rows.append([(text.key if n in shown.keys else text.cell)(n, value, as_of_ms) for n, value in pairs])
    labels = [str(name).replace("_", " ").removesuffix(" s") for name in names]
    return {
        "names": list(zip(labels, words, strict=True)),
        "rows": [list(zip(r, words, strict=True)) for r in rows],
    }
