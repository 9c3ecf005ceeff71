"""`mltasks report`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command, option
from mltasks.reports.declaration import CHANGES_RATE


@click.command(
    "report",
    cls=Command,
    examples=(
        "mltasks report demo",
        "mltasks report demo -o report.html",
        "mltasks report https://host:9200 --user admin --since 7d -o report.html",
    ),
)
@options.sources
@option(
    "-o",
    "--output",
    metavar="FILE",
    section=options.OUTPUT,
    help="The page, report.html; or report.md, report.json. Without it, the summary only.",
)
@options.force
@options.filters(refused=CHANGES_RATE)
@options.access
@options.every
def command(sources: tuple[str, ...], every_cluster: bool, output: str | None, force: bool, **given: Any) -> int:
    """Show what needs attention, task types and nodes; with -o, every report on one HTML page that stands alone."""
    from mltasks.render import page, terminal_summary, write
    from mltasks.reports import overview

    chosen, access = options.split(given)
    if output is not None:
        page.page_format(output)
        write.check_output(output, force)
    tasks, code = open_sources.scan_all(sources, access, chosen, every=every_cluster)
    made = page.report(tasks)
    if output is not None:
        made.save(output, force=force)
    if output == write.STDOUT:
        return code
    write.write(terminal_summary.render(overview.count_task_types(tasks), made, colour=write.is_coloured()))
    if output is not None:
        print(f"page: {output}", file=sys.stderr)
    return code
