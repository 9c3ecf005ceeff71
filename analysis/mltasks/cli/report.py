"""`mltasks report`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mltasks import files
from mltasks.cli import options


@click.command("report")
@options.source
@options.filters
@options.option("-o", "--output", metavar="FILE", help="The page, such as report.html; without it, the summary only.")
@options.option("--force", is_flag=True, help="Overwrite a file that is there.")
@options.access
def command(source: str | None, output: str | None, force: bool, **given: Any) -> None:
    """Make one HTML page of every report, which stands alone, and a summary in the terminal."""
    from mltasks import sources
    from mltasks.errors import UsageError
    from mltasks.present import page, summary

    chosen, access = options.split(given)
    if output is not None:
        if not output.endswith((".html", ".htm")):
            raise UsageError(f"-o {output}: the page is HTML; write -o report.html")
        files.check(output, force)
    tasks = sources.scan(options.named(source), access, **chosen)
    found = page.report(tasks)
    sys.stdout.write(summary.render(tasks, found, colour=sys.stdout.isatty()))
    if output is not None:
        found.save(output, force=force)
        print(f"page: {output}", file=sys.stderr)
