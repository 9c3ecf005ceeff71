"""`mltasks get`."""

from __future__ import annotations

import os
import re
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from mltasks.cli import completion, early_checks, open_sources, options
from mltasks.cli.click_ext import Command, option
from mltasks.exceptions import UsageError

TASK_ID = re.compile(r"[-_A-Za-z0-9]{20}")  # as OpenSearch makes them; some start with a dash
WAIT, ANSWER_S = "10m", 60.0  # unless --timeout says otherwise: for the end of a task, and for one answer [s]
NOT_COMPLETED = 1  # the exit code of --wait where a task has failed or was cancelled
MARK = "\0"  # no argument of a command line holds one


class WithIds(Command):
    """Takes what looks like a task id as one, though it starts with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Mark ids that start with a dash, so that they are no options."""
        option_names = {name for parameter in self.params for name in parameter.opts}
        dashed = [a.startswith("-") and a not in option_names and bool(TASK_ID.fullmatch(a)) for a in args]
        return super().parse_args(ctx, [f"{MARK}{a}" if d else a for a, d in zip(args, dashed, strict=True)])


@click.command(
    "get",
    cls=WithIds,
    examples=(
        "mltasks list demo --outcome failed --top 3",
        "mltasks get demo ID",
        "mltasks get https://host:9200 ID --wait --timeout 10m && echo completed",
    ),
)
@click.argument(
    "source_and_ids",
    metavar="[SOURCE] ID...",
    nargs=-1,
    required=True,
    shell_complete=completion.complete_source_before_ids,
)
@options.format_options
@option(
    "--refresh",
    is_flag=True,
    section=options.CLUSTER,
    help="Let it ask a batch job's provider first; rewrites the record.",
)
@option("--wait", is_flag=True, section=options.CLUSTER, help="Until they have ended; asks ever less often.")
@options.waiting
@options.partial
@click.pass_context
def command(ctx: click.Context, /, source_and_ids: tuple[str, ...], refresh: bool, wait: bool, **given: Any) -> int:
    """Show single tasks by id, from any source, with all that is known of them; no side effect without --refresh.

    IDs are those that `mltasks list` shows; one that starts with - is an id too.

    With --wait the exit code is 0 where all have completed (on some nodes is enough), 1 where one has failed or was
    cancelled, and 4 where one has not ended by --timeout.
    """
    from mltasks.render import write
    from mltasks.sources import source_kind

    span = given.pop("timeout")
    is_in_all = wait and ctx.get_parameter_source("timeout") is ParameterSource.COMMANDLINE
    given["timeout"] = early_checks.parse_span(span, "--timeout") if span and not is_in_all else ANSWER_S
    if is_in_all:
        early_checks.parse_span(span, "--timeout")
    _, access = options.split(given)
    source, ids = _split([word.removeprefix(MARK) for word in source_and_ids], access.config)
    kind = write.format_of(given["format_"], given["output"])
    write.check_output(given["output"], given["force"])
    open_sources.check_call([source], access, {}, every=False)
    if refresh and source_kind.kind_of(source, access.config) != "cluster":
        raise source_kind.no_refresh(source)
    how_long = (span if is_in_all else WAIT) if wait else None
    with open_sources.status_line([source]):
        from mltasks.render.view import View  # only now, since they are most of a start
        from mltasks.reports import report_info
        from mltasks.reports.task_list import task_list
        from mltasks.sources import get
        from mltasks.tasks import schema

        tasks = get.get(source, ids, access, refresh=refresh, wait=how_long)
    said = report_info.read_info(task_list(tasks, list(tasks.columns)))
    asked = msgspec.structs.replace(said, report="get", filters={"task_id": ids})
    write.write_report(View(tasks, asked), "record" if kind == "table" else kind, given["output"], force=given["force"])
    return NOT_COMPLETED if wait and not tasks["outcome"].isin(schema.COMPLETED).all() else 0


def _split(words: list[str], file: str | None) -> tuple[str, list[str]]:
    """Tell the source from the ids: it comes first, unless MLTASKS_SOURCE names one."""
    from mltasks.sources import source_kind

    default = os.environ.get("MLTASKS_SOURCE")
    if default and not (len(words) > 1 and source_kind.is_source(words[0], file)):
        return default, words
    if len(words) < 2:
        raise UsageError(f"get {words[0]}: give a SOURCE and an ID, such as: mltasks get demo ID")
    if words[-1] and source_kind.is_source(words[-1], file) and not source_kind.is_source(words[0], file):
        raise UsageError(f"get {words[0]}: the SOURCE comes first: mltasks get {words[-1]} {' '.join(words[:-1])}")
    if "" in words[1:]:
        raise UsageError("get: an ID is empty, as a variable is that is not set; mltasks list shows ids")
    return words[0], words[1:]
