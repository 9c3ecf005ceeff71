"""`mltasks get`."""

from __future__ import annotations

import os
import re
from typing import Any

import click
import msgspec

from mltasks.cli import options
from mltasks.cli.click_ext import Command, option
from mltasks.exceptions import UsageError

TASK_ID = re.compile(r"[-_A-Za-z0-9]{20}")  # as OpenSearch makes them; some start with a dash
MARK = "\0"  # no argument of a command line holds one


class WithIds(Command):
    """Takes what looks like a task id as one, though it starts with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Mark ids that start with a dash, so that they are no options."""
        known = {name for parameter in self.params for name in parameter.opts}
        dashed = [a.startswith("-") and a not in known and bool(TASK_ID.fullmatch(a)) for a in args]
        return super().parse_args(ctx, [f"{MARK}{a}" if d else a for a, d in zip(args, dashed, strict=True)])


@click.command(
    "get",
    cls=WithIds,
    examples=(
        "mltasks list demo --outcome failed --top 3",
        "mltasks get demo ID",
    ),
)
@click.argument("source_and_ids", metavar="[SOURCE] ID...", nargs=-1, required=True)
@options.format_options
@option(
    "--refresh",
    is_flag=True,
    section=options.CLUSTER,
    help="Let it ask a batch job's provider first; rewrites the record.",
)
@options.connection
@options.partial
def command(source_and_ids: tuple[str, ...], refresh: bool, **given: Any) -> None:
    """Show single tasks by id, from any source, with all that is known of them; no side effect without --refresh.

    IDs are those that `mltasks list` shows; one that starts with - is an id too.
    """
    from mltasks.render import write
    from mltasks.render.view import View
    from mltasks.reports import report_info
    from mltasks.reports.task_list import task_list
    from mltasks.sources import get

    _, access = options.split(given)
    source, ids = _split([word.removeprefix(MARK) for word in source_and_ids], access.config)
    kind = write.format_of(given["format_"], given["output"])
    write.check_output(given["output"], given["force"])
    tasks = get.get(source, ids, access, refresh=refresh)
    said = report_info.read_info(task_list(tasks, list(tasks.columns)))
    asked = msgspec.structs.replace(said, report="get", filters={"task_id": ids})
    write.write_report(View(tasks, asked), "record" if kind == "table" else kind, given["output"], force=given["force"])


def _split(words: list[str], file: str | None) -> tuple[str, list[str]]:
    """Tell the source from the ids: it comes first, unless MLTASKS_SOURCE names one."""
    from mltasks.sources import resolve

    default = os.environ.get("MLTASKS_SOURCE")
    if default and not (len(words) > 1 and resolve.is_source(words[0], file)):
        return default, words
    if len(words) < 2:
        raise UsageError(f"get {words[0]}: give a SOURCE and an ID, such as: mltasks get demo ID")
    return words[0], words[1:]
