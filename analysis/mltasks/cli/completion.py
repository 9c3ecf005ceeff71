"""What a shell completes: sources, columns, and the values that are known; click speaks to the shell.

`_MLTASKS_COMPLETE=bash_source mltasks` prints what bash reads; so for zsh and fish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mltasks.engines.engine_names import READERS
from mltasks.reports.registry import REPORTS

FILE = "FILE"  # the metavar of options that take one
GROUPS = ("text", "flag", "number", "integer")  # kinds of columns that tasks can be grouped by


def complete_source(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the example data, the configured clusters, and the files and folders that may hold tasks."""
    from mltasks.exceptions import Error
    from mltasks.opensearch import config
    from mltasks.opensearch.access import DEMO

    try:
        clusters = list(config.clusters(ctx.params.get("config")))
    except Error:  # a file that cannot be read is no reason to write into somebody's prompt
        clusters = []
    words = [word for word in (DEMO, *clusters, *_sources_here()) if word.startswith(incomplete)]
    return [CompletionItem(word) for word in words] or [CompletionItem(incomplete, type="file")]


def complete_source_before_ids(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what `complete_source` does for the first word; the ids behind it are nothing that a shell could know."""
    return [] if ctx.params.get(parameter.name or "") else complete_source(ctx, parameter, incomplete)


def complete_store(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the stores in this folder; where there is none of the name, the shell completes folders."""
    from mltasks.store.manifest import is_store

    stores = [name for name in _sources_here() if name.startswith(incomplete) and is_store(Path(name))]
    return [CompletionItem(name) for name in stores] or [CompletionItem(incomplete, type="dir")]


def _sources_here() -> list[str]:
    from mltasks.sources import formats

    try:
        here = sorted(Path().iterdir())
    except OSError:
        return []
    return [
        path.name
        for path in here
        if not path.name.startswith(".") and (path.is_dir() or formats.suffix_of(path) is not None)
    ]


def complete_option(ctx: click.Context, option: click.Option, incomplete: str) -> list[CompletionItem]:
    """Return what an option may be given; of several, comma-separated, what the last one may be."""
    if option.metavar == FILE:
        return [CompletionItem(incomplete, type="file")]
    values = VALUES.get((option.name or "").removeprefix("not_"))
    if values is None:
        return []
    if option.name == "sort" and ":" in incomplete:
        column, _, _ = incomplete.partition(":")
        orders = [f"{column}:{order}" for order in ("asc", "desc")]
        return [CompletionItem(each) for each in orders if each.startswith(incomplete)]
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [
        CompletionItem(f"{before}{comma}{value}")
        for value in dict.fromkeys(values(ctx))
        if value.casefold().startswith(last.casefold()) and value not in given
    ]


def _group_columns(ctx: click.Context) -> Iterable[str]:
    """Return the columns to group by; the usual keys of the report come first."""
    from mltasks.tasks import schema

    report = REPORTS.get(ctx.info_name or "")
    keys = [name for name in (report.keys if report else ()) if name in schema.COLUMNS]
    return [*keys, *(name for name, column in schema.COLUMNS.items() if column.kind in GROUPS), "node"]


def _shown_columns(ctx: click.Context) -> Iterable[str]:
    """Return the columns of a report, or those of the tasks."""
    from mltasks.tasks import schema

    report = REPORTS.get(ctx.info_name or "")
    return [*report.keys, *report.column_names] if report else [*schema.COLUMNS, *schema.JOB_COLUMNS]


def _outcomes(ctx: click.Context) -> Iterable[str]:
    from mltasks.tasks import schema

    if ctx.info_name == "durations":
        return ("completed", *schema.OUTCOMES, "all")
    return ("completed", *schema.OUTCOMES)


def _states(ctx: click.Context) -> Iterable[str]:
    from mltasks.tasks import schema

    return schema.STATES


def _task_types(ctx: click.Context) -> Iterable[str]:
    from mltasks.tasks import schema

    return schema.TASK_TYPES


def _function_names(ctx: click.Context) -> Iterable[str]:
    from mltasks.tasks import schema

    return schema.FUNCTION_NAMES


def _highlights(ctx: click.Context) -> Iterable[str]:
    from mltasks.reports.declarations.highlights import KINDS

    return ("highlights", *KINDS)


VALUES: dict[str, Callable[[click.Context], Iterable[str]]] = {  # name of an option -> what it may be given
    "by": _group_columns,
    "columns": _shown_columns,
    "sort": _shown_columns,
    "outcome": _outcomes,
    "state": _states,
    "task_type": _task_types,
    "function_name": _function_names,
    "fail_on": _highlights,
    "engine": lambda ctx: READERS,
    "against": lambda ctx: ("previous",),
    "new": lambda ctx: ("24h", "7d", "30d"),
    "watch": lambda ctx: ("5s", "30s", "1m"),
    "every": lambda ctx: ("15min", "1h", "6h", "1d", "1w", "1mo"),
    "since": lambda ctx: ("1h", "24h", "7d", "30d", "today", "yesterday", "this-week", "last-week", "last-month"),
    "until": lambda ctx: ("today", "yesterday", "this-week", "last-week", "this-month"),
}
