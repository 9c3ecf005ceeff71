"""The docstring of a public function: what it says itself, with the shared keywords and a report's columns added."""

from __future__ import annotations

import inspect
import re
import textwrap

from mltasks.reports.declaration import Report, ReportColumn
from mltasks.tasks import filter_declarations

SECTIONS = ("Parameters", "Returns", "Raises", "Warns", "See Also", "Notes", "Examples")  # as numpydoc orders them
HEADING = re.compile(rf"^({'|'.join(SECTIONS)})\n-+$", re.MULTILINE)
WIDTH = 112
KINDS = {
    "time": "str, date, datetime, timedelta or int",
    "exact": "str or list of str",
    "contains": "str or list of str",
    "outcome": "str or list of str",
}
WAYS = {
    "exact": "The whole text, in any case.",
    "contains": "A part of the text, in any case.",
    "outcome": "``completed`` is succeeded and partial.",
    "time": "Days are those of `tz`.",
}
SHARED = {
    "tasks": (
        "DataFrame, Dataset, pyarrow.Table or a source",
        "What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or "
        'name, a file, a store, ``"demo"``, or a list of these.',
    ),
    "every": (
        "str, optional",
        'One row per period of create_time: ``"15min"``, ``"6h"``, ``"1d"``, ``"1w"``, ``"1mo"``.',
    ),
    "tz": ("str", "The time zone of days, weeks and months."),
    "as_of": ("str, datetime or int, optional", "The time that open tasks are judged at; else when they were read."),
    "ax": ("Axes, optional", "Where it is drawn; else in a new figure."),
    "access": ("Access, optional", "How to reach a cluster, and how to read it; files and frames need none."),
    "query": ("dict, optional", "OpenSearch query DSL, beside the filters; for clusters only."),
}
FIGURE = "Axes\n    The one that was given, or that of a new figure."
RAISES = """UsageError
    For a keyword, column, period, zone, time or filter that cannot be.
ClusterError, DataError
    Where the source cannot be read, or is incomplete.
"""


def complete(text: str, signature: inspect.Signature, report: Report | None, *, is_figure: bool = False) -> str:
    """Return a docstring with an entry for every parameter, and for every column of a report, or of its figure."""
    sections = _split(inspect.cleandoc(text))
    sections["Parameters"] = _parameters(sections.get("Parameters", ""), signature, report)
    if report is not None:
        sections["Returns"] = FIGURE if is_figure else _returns(report)
        sections.setdefault("Raises", RAISES)
    parts = [sections[""].strip()]
    parts += [f"{name}\n{'-' * len(name)}\n{sections[name].strip()}" for name in SECTIONS if sections.get(name)]
    return "\n\n".join(parts) + "\n"


def _split(text: str) -> dict[str, str]:
    pieces = HEADING.split(text)
    return {"": pieces[0]} | dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _parameters(own: str, signature: inspect.Signature, report: Report | None) -> str:
    """Return the section of parameters in the order of the signature; what the docstring says itself is kept."""
    written: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", own.strip()):
        for name in entry.partition("\n")[0].partition(" :")[0].split(", "):
            written[name] = entry
    entries = [written.get(name) or _entry(name, report) for name in signature.parameters]
    return "\n".join(dict.fromkeys(filter(None, entries)))


def _entry(name: str, report: Report | None) -> str:
    if name == "by" and report is not None:
        keys = ", ".join(report.keys)
        return _write(name, "str or list of str", f"Columns to group by, instead of {keys}; ``[]`` for one row of all.")
    for option in report.options if report is not None else ():
        if option.name == name:
            return _write(name, "optional", option.help)
    if name in SHARED:
        return _write(name, *SHARED[name])
    for each in filter_declarations.FILTERS:
        if name.removeprefix("not_") == each.name and name in filter_declarations.HELP:
            return _write(name, f"{KINDS[each.kind]}, optional", f"{filter_declarations.HELP[name]} {WAYS[each.kind]}")
    return ""


def _write(name: str, kind: str, text: str) -> str:
    return f"{name} : {kind}\n{_indent(text)}"


def _indent(text: str, start: str = "    ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent="    " + " " * start.count("-") * 2)


def _returns(report: Report) -> str:
    keys = "The columns of `by`" if report.takes_by else f"{', '.join(report.keys)}"
    period = ", then `period` where `every` is given" if report.has_periods else ""
    columns = [_column(column) for column in report.columns if report.takes_by or column.name not in report.keys]
    return "\n".join(["pandas.DataFrame", _indent(f"{keys}{period}; then:"), "", *columns])


def _column(column: ReportColumn) -> str:
    unit = f" [{column.unit}]" if column.unit else ""
    return _indent(f"{column.name}{unit}: {column.note}", "    - ")
