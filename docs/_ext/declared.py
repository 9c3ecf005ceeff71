"""What the documentation takes from the code, so that it cannot go stale: columns, filters, options, help, figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mltasks.cli import main
from mltasks.reports.registry import REPORTS
from mltasks.tasks import filter_table, schema

FIGURES = "_figures"  # beside the pages, ignored by git


def cell(text: Any) -> str:
    """Return a text as a cell of a table in Markdown."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(str(each) for each in line)} |" for line in lines)


def columns(name: str) -> str:
    """Return the columns of a report, with kind and unit; those that 80 columns show are bold."""
    report = REPORTS[name]
    rows = [
        (f"**`{c.name}`**" if c.name in report.narrow else f"`{c.name}`", c.kind, c.unit or "-", cell(c.note))
        for c in report.columns
    ]
    return table(("column", "kind", "unit", "what it holds"), rows)


def facts(name: str) -> str:
    """Return what a report takes: keys, periods, window, filters that it refuses, options of its own."""
    report = REPORTS[name]
    keys = ", ".join(f"`{key}`" for key in report.keys)
    window = "created in it" if report.window == "created" else "in flight in it"
    lines = [
        f"- A row stands for: {keys}{'; `--by` takes others' if report.takes_by else ''}.",
        *(["- `--every` adds one row per period, by the calendar of `--tz`."] if report.has_periods else []),
        f"- `--since` and `--until` take the tasks {window}.",
        *(f"- `--{option.name.replace('_', '-')}`: {cell(option.help)}" for option in report.options),
    ]
    reasons: dict[str, list[str]] = {}
    for filter_name, why in report.refused.items():
        reasons.setdefault(why, []).append(f"`{filter_name}`")
    lines += [f"- Refuses {', '.join(names)}: {why}." for why, names in reasons.items()]
    return "\n".join(lines)


def task_columns(_: str) -> str:
    """Return the columns of the task table."""
    rows = [(f"`{name}`", column.kind) for name, column in schema.COLUMNS.items()]
    return table(("column", "kind"), rows)


def filters(_: str) -> str:
    """Return the filters, which every command and function takes under the same name."""
    rows = [(f"`--{name.replace('_', '-')}`", f"`{name}`", cell(text)) for name, text in filter_table.HELP.items()]
    return table(("option", "in Python", "which tasks"), rows)


def questions(_: str) -> str:
    """Return the reports with the question that each answers."""
    return table(
        ("report", "question"), [(f"[{name}]({name}.md)", cell(report.question)) for name, report in REPORTS.items()]
    )


TABLES: dict[str, Callable[[str], str]] = {
    "columns": columns,
    "facts": facts,
    "task-columns": task_columns,
    "filters": filters,
    "questions": questions,
}


class Declared(SphinxDirective):
    """Writes one of TABLES, of the report that is named after it."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the table."""
        kind, *report = self.arguments
        parsed: list[nodes.Node] = self.parse_text_to_nodes(TABLES[kind](*report or [""]))
        return parsed


class CommandHelp(SphinxDirective):
    """Writes the help of a command as the command itself writes it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the help in a literal block."""
        (name,) = self.arguments
        top = click.Context(main.group, info_name="mltasks", terminal_width=80, max_content_width=80)
        command: click.Command | None = main.group
        context = top
        if name != "mltasks":
            command = main.group.get_command(top, name)
            assert command is not None, name
            context = click.Context(command, info_name=name, parent=top, terminal_width=80, max_content_width=80)
        text = context.get_help()
        return [nodes.literal_block(text, text, language="text")]


class ReportFigure(SphinxDirective):
    """Shows the figure of a report on the example data."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the image."""
        (name,) = self.arguments
        return [nodes.image(uri=f"/{FIGURES}/{name}.svg", alt=f"The figure of {name} on the example data")]


def draw_figures(app: Sphinx) -> None:
    """Draw what `ReportFigure` shows."""
    folder = Path(app.srcdir) / FIGURES
    folder.mkdir(exist_ok=True)
    for name, report in REPORTS.items():
        if report.figure:
            picture, values = folder / f"{name}.svg", folder / f"{name}.csv"
            code = main.main([name, "demo", "--plot", str(picture), "-o", str(values), "--force"])
            assert code == 0, name


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("declared", Declared)
    app.add_directive("command-help", CommandHelp)
    app.add_directive("report-figure", ReportFigure)
    app.connect("builder-inited", draw_figures)
    return {"parallel_read_safe": True}
