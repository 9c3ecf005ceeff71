"""`mltasks list`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mltasks.cli import early_checks, open_sources, options
from mltasks.cli.click_ext import Command
from mltasks.tasks import schema

JOBS = {
    "job_status": "what the provider of a batch prediction calls its job's state",
    "job_start": "when the provider began it; UTC",
    "job_end": "when the provider ended it; UTC",
    "job_duration_s": "seconds between these two",
}
NOTES = [(name, column.note) for name, column in schema.COLUMNS.items()]
SHOWN = 20  # in a terminal, unless --top says otherwise


@click.command(
    "list",
    cls=Command,
    examples=(
        "mltasks list demo --outcome failed --columns task_id,function_name,reason",
        "mltasks list demo --task-type TRAINING --sort duration_s --top 5",
        "mltasks list demo --node n1 -o tasks.csv",
    ),
    columns=[*NOTES, *((name, JOBS[name]) for name in schema.JOB_COLUMNS)],
)
@options.sources
@options.filters()
@options.row_options
@options.format_options
@options.access
@options.every
def command(sources: tuple[str, ...], every_cluster: bool, columns: str | None, **given: Any) -> int:
    """Show the tasks themselves, newest first; in a terminal 20 of them, unless --top says otherwise."""
    from mltasks.render import write

    chosen, access = options.split(given)
    kind = write.format_of(given["format_"], given["output"])
    write.check_output(given["output"], given["force"])
    chosen_columns = options.split_names(columns)
    early_checks.check_task_list(sources, access, chosen_columns, given["sort"])
    open_sources.check_call(sources, access, chosen, every=every_cluster)
    with open_sources.status_line(sources):
        from mltasks.render.sort_and_top import make_view  # only now, since they are most of a start
        from mltasks.render.view import View
        from mltasks.reports import task_list as listing
        from mltasks.sources.load import load

        dataset, code = open_sources.scan_all(sources, access, chosen, every=every_cluster)
        tasks = load(dataset)
        names, top = chosen_columns or list(listing.COLUMNS), given["top"]
        if top is None and kind == "table" and not given["output"] and sys.stdout.isatty():  # a pipe gets all
            top = SHOWN
        listed = listing.task_list(tasks, names)  # says which columns are not there
        if given["sort"]:  # by any column, shown or not
            by = [name for name in (given["sort"].partition(":")[0],) if name in schema.JOB_COLUMNS]
            listed = listing.task_list(tasks, list(dict.fromkeys([*tasks.columns, *names, *by])))
        view = make_view(listed, given["sort"], top or None)
        view = View(view.frame[names], view.info, chosen=bool(chosen_columns))
    write.write_report(view, kind, given["output"], wide=given["wide"], force=given["force"])
    return code
