"""`mltasks check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command, option
from mltasks.object_storage import output as destination

BREACHED = 1
RULES = "Rules"
FORMATS = ("text", "json", "junit", "openmetrics")


@click.command(
    "check",
    cls=Command,
    examples=(
        "mltasks check --init --rules rules.toml",
        "mltasks check history --rules rules.toml",
        "mltasks check prod-eu --rules rules.toml --format junit -o check.xml",
    ),
)
@options.sources
@option("--rules", metavar="FILE", section=RULES, default="rules.toml", help="The rules, in TOML (rules.toml).")
@option("--init", is_flag=True, section=RULES, help="Write that file (or -o) with rules to start with.")
@option(
    "--format",
    "format_",
    metavar="FORMAT",
    section=options.OUTPUT,
    default="text",
    type=click.Choice(FORMATS),
    help="text, json, junit or openmetrics.",
)
@option("-o", "--output", metavar="FILE", section=options.OUTPUT, help="Write to a file.")
@options.force
@options.access
@options.engine
@options.every
def command(
    sources: tuple[str, ...],
    every_cluster: bool,
    rules: str,
    init: bool,
    format_: str,
    output: str | None,
    force: bool,
    **given: Any,
) -> int:
    """Check rules, for cron and CI: ends with 0 where all hold, with 1 where one is breached."""
    from mltasks.render import write
    from mltasks.reports.rules import load_rules, starter

    if init:
        if output == write.STDOUT:
            write.write(starter())
            return 0
        _save(output or rules, starter(), force)
        print(f"rules: {output or rules}", file=sys.stderr)
        return 0
    parsed = load_rules(rules)
    filters, access = options.split(given)
    write.check_output(output, force)
    open_sources.check_call(sources, access, filters, every=every_cluster)
    reader = options.open_reader(given)
    with open_sources.status_line(sources):
        from mltasks.render import check_results  # only now, since they are most of a start
        from mltasks.reports.check import check

        tasks, code = open_sources.scan_all(sources, access, filters, every=every_cluster, reader=reader)
        results = check(tasks, parsed)
    text = check_results.FORMATS[format_](results)
    if output in (None, write.STDOUT):
        write.write(text)
    else:
        _save(str(output), text, force)
    return code or (BREACHED if any(result.is_breach for result in results) else 0)


def _save(path: str, text: str, force: bool) -> None:
    with destination.atomic_path(path, force) as part:
        Path(part).write_text(text, encoding="utf-8")
