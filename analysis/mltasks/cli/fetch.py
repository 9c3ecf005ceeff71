"""`mltasks fetch`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command, option
from mltasks.tasks.plural import count_of


@click.command(
    "fetch",
    cls=Command,
    examples=(
        "mltasks fetch https://host:9200 --user admin -o tasks.parquet",
        "mltasks fetch demo -o tasks.parquet",
        "mltasks fetch prod-eu -o s3://bucket/tasks.parquet",
        "mltasks durations tasks.parquet",
    ),
)
@options.source
@option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    section=options.OUTPUT,
    help="tasks.parquet, also at an s3:// URL; from a cluster also hits.ndjson.gz, the raw hits.",
)
@options.force
@options.filters()
@options.access
def command(source: str | None, output: str, force: bool, **given: Any) -> None:
    """Write all tasks to a file: complete or not at all, each task once.

    Those of a cluster are streamed, in memory that does not grow with them; any other source is read whole.
    """
    from mltasks.object_storage import output as destination
    from mltasks.sources import formats

    chosen, access = options.split(given)
    formats.check_writable(destination.check_writable(output, force))
    (name,) = open_sources.check_call([] if source is None else [source], access, chosen, every=False)
    with open_sources.status_line([name]):
        from mltasks.sources import fetch  # only now, since it is most of a start

        ctx = fetch.fetch(name, output, access, force=force, **chosen)
    assert ctx.rows is not None  # fetch has counted them
    print(f"{count_of(ctx.rows)} of {ctx.source} in {output}{'' if ctx.complete else ' (INCOMPLETE)'}", file=sys.stderr)
