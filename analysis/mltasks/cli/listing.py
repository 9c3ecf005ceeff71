"""`mltasks list`."""

from __future__ import annotations

from typing import Any

import click

from mltasks import files
from mltasks.cli import options

SHOWN = 20  # in a terminal, unless --top says otherwise


@click.command("list")
@options.source
@options.option("--columns", metavar="NAMES", help="Which columns, comma-separated.")
@options.filters
@options.output
@options.access
def command(source: str | None, columns: str | None, **given: Any) -> None:
    """Show the tasks themselves, newest first; in a terminal 20 of them, unless --top says otherwise."""
    from mltasks import sources
    from mltasks.present import output
    from mltasks.present.view import view
    from mltasks.reports.listing import COLUMNS, listing

    chosen, access = options.split(given)
    kind = output.format_of(given["format_"], given["output"])
    if given["output"]:
        files.check(given["output"], given["force"])
    names = [name.strip() for name in columns.split(",")] if columns else COLUMNS
    tasks = sources.load(options.named(source), access, **chosen)
    top = given["top"]
    if top is None and kind == "table" and not given["output"]:
        top = SHOWN
    found = view(listing(tasks, names), given["sort"], top or None)
    output.show(found, kind, given["output"], wide=given["wide"] or bool(columns), force=given["force"])
