"""`mltasks fetch`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mltasks.cli import options


@click.command("fetch")
@options.source
@options.option("-o", "--output", metavar="FILE", required=True, help="tasks.parquet, or hits.ndjson.gz: the raw hits.")
@options.option("--force", is_flag=True, help="Overwrite a file that is there.")
@options.filters
@options.access
def command(source: str | None, output: str, force: bool, **given: Any) -> None:
    """Write all tasks to a file: complete or not at all, each task once, in memory that does not grow with them."""
    from mltasks import streaming

    chosen, access = options.split(given)
    ctx = streaming.fetch(options.named(source), output, access, force=force, **chosen)
    note = "" if ctx.complete else " (INCOMPLETE)"
    print(f"{ctx.rows:,} tasks of {ctx.source} in {output}{note}", file=sys.stderr)
