"""`mltasks get`."""

from __future__ import annotations

import re
from typing import Any

import click

from mltasks import files
from mltasks.cli import options
from mltasks.errors import UsageError

TASK_ID = re.compile(r"[-_A-Za-z0-9]{20}")  # as OpenSearch makes them; some start with a dash


class WithIds(click.Command):
    """Takes what looks like a task id as one, though it starts with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move ids that start with a dash behind `--`."""
        known = {name for parameter in self.params for name in parameter.opts}
        ids = [a for a in args if a.startswith("-") and TASK_ID.fullmatch(a) and a not in known]
        rest = [a for a in args if a not in ids]
        return super().parse_args(ctx, [*rest, *(["--"] if "--" not in rest else []), *ids])


@click.command("get", cls=WithIds)
@click.argument("source_and_ids", metavar="[SOURCE] ID...", nargs=-1, required=True)
@options.option(
    "--refresh", is_flag=True, help="Let the cluster ask a batch job's provider first; rewrites the record."
)
@options.output
@options.access
def command(source_and_ids: tuple[str, ...], refresh: bool, **given: Any) -> None:
    """Show single tasks by id, from any source, with all that is known of them; no side effect without --refresh."""
    from mltasks import lookup
    from mltasks.present import output, record
    from mltasks.present.view import view
    from mltasks.reports.listing import listing

    source, ids = _split(list(source_and_ids))
    kind = output.format_of(given["format_"], given["output"])
    if given["output"]:
        files.check(given["output"], given["force"])
    _, access = options.split(given)
    tasks = lookup.get(source, ids, access, refresh=refresh)
    if kind == "table" and given["output"] is None:
        click.echo(record.render(tasks), nl=False)
        return
    found = view(listing(tasks, list(tasks.columns)), given["sort"], given["top"] or None)
    output.show(found, kind, given["output"], wide=True, force=given["force"])


def _split(words: list[str]) -> tuple[str, list[str]]:
    """Tell the source from the ids: it comes first, unless MLTASKS_SOURCE names one and the first is an id."""
    import os

    default = os.environ.get("MLTASKS_SOURCE")
    if default and TASK_ID.fullmatch(words[0]):
        return default, words
    if len(words) < 2:
        raise UsageError(f"get {words[0]}: give a SOURCE and an ID, such as: mltasks get demo ID")
    return words[0], words[1:]
