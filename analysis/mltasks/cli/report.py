"""`mltasks report`."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command, WholeNumber, option
from mltasks.exceptions import UsageError
from mltasks.reports.declaration import CHANGES_RATE

FOUND = 1
ANY = "highlights"


@click.command(
    "report",
    cls=Command,
    examples=(
        "mltasks report demo",
        "mltasks report demo -o report.html",
        "mltasks report https://host:9200 --user admin --since 7d -o report.html",
        "mltasks report history --since 1d --fail-on lost,model_down,failing",
        "mltasks report history --since 1d -o wall.html --force --refresh 60",
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
@option(
    "--refresh",
    type=WholeNumber(min=1),
    metavar="SECONDS",
    section=options.OUTPUT,
    help="Browsers read the HTML page again after so many seconds, for a screen on a wall.",
)
@option(
    "--fail-on",
    metavar="KINDS",
    section=options.OUTPUT,
    help="End with 1 where there are highlights: any (highlights), or of these kinds: lost,failing,...",
)
@options.filters(refused=CHANGES_RATE)
@options.access
@options.engine
@options.every
def command(
    sources: tuple[str, ...],
    every_cluster: bool,
    output: str | None,
    force: bool,
    refresh: int | None,
    fail_on: str | None,
    **given: Any,
) -> int:
    """Show what needs attention, task types and nodes; with -o, every report on one HTML page that stands alone.

    With --since it is compared with as long a time before.
    """
    from mltasks.render import write
    from mltasks.render.harmless_text import one_line

    chosen, access = options.split(given)
    if output is None and refresh is not None:
        raise UsageError("--refresh: there is no page to refresh; name one with -o report.html")
    if output is not None:
        write.page_format(output, refresh)
        write.check_output(output, force)
    kinds = _read_kinds(fail_on)
    open_sources.check_call(sources, access, chosen, every=every_cluster)
    reader = options.open_reader(given)
    with open_sources.status_line(sources):
        tasks, code, window = open_sources.scan_with_before(sources, access, chosen, every=every_cluster, reader=reader)
        from mltasks.render import page, terminal_summary  # only now, since they are most of a start
        from mltasks.reports import highlights, page_reports

        made = page.Page(page_reports.run_summary(tasks, **window)) if output is None else page.report(tasks, **window)
        types = None if output == write.STDOUT else page_reports.count_task_types(tasks, **window)
    table = made.tables["highlights"]
    if not code and set(table["kind"]) & kinds:
        code = FOUND
    untold = highlights.find_untold(table, kinds)
    if output is not None:
        with contextlib.nullcontext() if output == write.STDOUT else open_sources.status_line([output]):
            made.save(output, force=force, refresh=refresh)
    if types is not None:  # else standard output has the page
        write.write(terminal_summary.render(types, made, colour=write.is_coloured()))
        if output is not None:
            print(f"page: {output}", file=sys.stderr)
    for note, left_open in untold.items():
        said = f"--fail-on {','.join(left_open)}: none found, which proves nothing: {note}"
        print(f"mltasks: warning: {one_line(said)}", file=sys.stderr)
    return code


def _read_kinds(text: str | None) -> set[str]:
    if text is None:
        return set()
    from mltasks.reports.declarations.highlights import KINDS

    words = [*filter(None, map(str.strip, text.split(",")))]
    if not words or not {*words} <= {ANY, *KINDS}:
        raise UsageError(f"--fail-on: cannot read {text!r}; there are {ANY} (any of them), {', '.join(KINDS)}")
    return {*KINDS} if ANY in words else {*words}
