"""What the commands of single reports have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command, compose, option

GROUPS = "What a row is"


def make_command(name: str, doc: str, *, examples: Sequence[str], by: str) -> click.Command:
    """Return the command of a report: groups, filters, output."""

    @options.sources
    @option(
        "--by",
        metavar="COLUMNS",
        multiple=True,
        section=GROUPS,
        help=f"Group by these ({by}); '' for one row of all.",
    )
    @_periods
    @options.filters(rate=name != "durations")
    @options.row_options
    @options.format_options
    @option("--plot", metavar="FILE", section=options.OUTPUT, help="The report's figure too, .png or .svg.")
    @options.access
    @options.every
    def run(sources: tuple[str, ...], every_cluster: bool, **given: Any) -> int:
        from mltasks.render import write
        from mltasks.render.view import make_view

        chosen, access = options.split(given)
        shown = {key: given.pop(key) for key in ("format_", "wide", "sort", "top", "output", "force", "plot")}
        kind = write.format_of(shown["format_"], shown["output"])
        if shown["plot"]:
            write.picture(shown["plot"])
        for path in (shown["output"], shown["plot"]):
            write.check_output(path, shown["force"])
        keywords = {key: value for key, value in given.items() if value is not None and key != "by"}
        if given["by"]:
            keywords["by"] = list(given["by"])
        if name == "durations" and "outcome" in chosen:  # whose durations; the counts stay those of all tasks
            keywords["outcome"] = chosen.pop("outcome")
        tasks, code = open_sources.scan_all(sources, access, chosen, every=every_cluster)
        found = make_view(_function(name)(tasks, **keywords), shown["sort"], shown["top"] or None)
        if shown["plot"]:
            from mltasks.render.plot import figure

            figure.save(found, shown["plot"], force=shown["force"])
        write.write_report(found, kind, shown["output"], wide=shown["wide"], force=shown["force"])
        return code

    return click.command(name, cls=Command, help=doc, examples=examples)(run)


_periods = compose(
    [
        option("--every", metavar="PERIOD", section=GROUPS, help="And by time: 15min, 6h, 1d, 1w, 1mo."),
        option("--tz", metavar="ZONE", section=GROUPS, help="The time zone of days, weeks and months (UTC)."),
    ]
)


def _function(name: str) -> Callable[..., Any]:
    import mltasks

    found: Callable[..., Any] = getattr(mltasks, name)
    return found
