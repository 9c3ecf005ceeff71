"""What the commands of single reports have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mltasks import files
from mltasks.cli import options


def command(name: str, doc: str, *, by: str, periods: bool = True) -> click.Command:
    """Return the command of a report: filters, groups, output."""

    @options.source
    @options.option("--by", metavar="COLUMNS", multiple=True, help=f"Group by these ({by}); '' for one total row.")
    @(_periods if periods else options.stacked([]))
    @options.filters
    @options.output
    @options.option("--plot", metavar="FILE", help="The report's figure, .png or .svg.")
    @options.access
    def run(source: str | None, **given: Any) -> None:
        from mltasks import sources
        from mltasks.present import output, plot
        from mltasks.present.view import view

        chosen, access = options.split(given)
        shown = {key: given.pop(key) for key in ("format_", "wide", "sort", "top", "output", "force", "plot")}
        kind = output.format_of(shown["format_"], shown["output"])
        for path in (shown["output"], shown["plot"]):
            if path:
                files.check(path, shown["force"])
        keywords = {key: value for key, value in given.items() if value is not None and key != "by"}
        if given["by"]:
            keywords["by"] = list(given["by"])
        if name == "durations" and "outcome" in chosen:  # whose durations; the counts stay those of all tasks
            keywords["outcome"] = chosen.pop("outcome")
        tasks = sources.scan(options.named(source), access, **chosen)
        found = view(_function(name)(tasks, **keywords), shown["sort"], shown["top"] or None)
        output.show(found, kind, shown["output"], wide=shown["wide"], force=shown["force"])
        if shown["plot"]:
            plot.save(found, shown["plot"], force=shown["force"])

    return click.command(name, help=doc)(run)


_periods = options.stacked(
    [
        options.option("--every", metavar="PERIOD", help="A row a period: 15min, 6h, 1d, 1w, 1mo."),
        options.option("--tz", metavar="ZONE", help="The time zone of days, weeks and months (UTC)."),
    ]
)


def _function(name: str) -> Callable[..., Any]:
    import mltasks

    found: Callable[..., Any] = getattr(mltasks, name)
    return found
