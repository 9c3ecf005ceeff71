"""What the documentation takes from the code, so that it cannot go stale: columns, filters, options, help, figures."""

from __future__ import annotations

from pathlib import Path

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import TABLES

from mltasks.cli import main
from mltasks.reports.registry import REPORTS

FIGURES = "_figures"  # beside the pages, ignored by git


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
        settings = {**main.group.context_settings, "terminal_width": 80, "max_content_width": 80}
        top = click.Context(main.group, info_name="mltasks", **settings)
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
