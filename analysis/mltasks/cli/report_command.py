"""The commands of single reports, made from what each report declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mltasks.cli import early_checks, open_sources, options
from mltasks.cli.click_ext import Command, Decorator, compose, option
from mltasks.exceptions import UsageError
from mltasks.reports.declaration import Report, ReportColumn, ReportOption, refusal

if TYPE_CHECKING:
    from mltasks.render.view import View

GROUPS = "What a row is"
TYPES: dict[str, Any] = {"integer": int, "number": float}


def make_command(report: Report) -> click.Command:
    """Return the command of a report: groups, filters, output."""

    @options.sources
    @_report_options(report)
    @options.filters(
        refused=report.refused, left_out=[each.name for each in report.options], takes_tz=not report.has_periods
    )
    @options.row_options
    @options.format_options
    @_plot(report)
    @_watch(report)
    @options.access
    @options.engine
    @options.every
    def run(sources: tuple[str, ...], every_cluster: bool, **given: Any) -> int:
        return _run(report, sources, every_cluster, given)

    columns = [(column.name, _describe(column)) for column in report.columns]
    return click.command(report.name, cls=Command, help=report.help, examples=report.examples, columns=columns)(run)


def _run(report: Report, sources: Sequence[str], every_cluster: bool, given: dict[str, Any]) -> int:
    from mltasks.render import write

    filters, access = options.split(given, left_out=[each.name for each in report.options])
    for name in filters.keys() & report.refused.keys():
        raise UsageError(refusal(report.name, name, report.refused[name]))
    if not report.has_periods:
        given.pop("tz")
    elif given["every"] is not None:
        early_checks.check_period(given["every"])
    names = ("format_", "wide", "columns", "sort", "top", "output", "force", "plot")
    shown = {key: given.pop(key, None) for key in names}
    early_checks.check_report(report, sources, access, {**given, **shown})
    kind = write.format_of(shown["format_"], shown["output"])
    if shown["plot"] is not None:
        write.picture(shown["plot"])
    write.check_output(shown["output"], shown["force"])
    write.check_output(shown["plot"], shown["force"])
    open_sources.check_call(sources, access, filters, every=every_cluster)
    if given.get("watch") is not None:
        early_checks.parse_span(given["watch"], "--watch")
        if kind != "table" or shown["output"]:
            raise UsageError("--watch: shows a table in the terminal; leave out --format and -o")
    reader = options.open_reader(given)
    watch, chosen = given.pop("watch", None), options.split_names(shown["columns"])

    def make() -> tuple[View, int]:
        with open_sources.status_line(sources):
            tasks, code, window = open_sources.scan_with_before(
                sources, access, filters, every=every_cluster, looks_back=report.looks_back, reader=reader
            )
            from mltasks.render.sort_and_top import make_view

            table = report.function()(tasks, **_keywords(given), **window)
        return make_view(table, shown["sort"], shown["top"] or None, chosen), code

    if watch:
        from mltasks.cli import repeat

        clusters = open_sources.resolve_names(sources, access, every=every_cluster)
        repeat.repeat(watch, clusters, access, lambda: write.text_of(make()[0], kind, wide=shown["wide"]))
    view, code = make()
    if shown["plot"]:
        from mltasks.render.plot import figure

        with open_sources.status_line([shown["plot"]]):
            figure.save(view, shown["plot"], force=shown["force"])
    write.write_report(view, kind, shown["output"], wide=shown["wide"], force=shown["force"])
    return code


def _keywords(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given as the keywords of a report's function."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    return {name: value for name, value in values.items() if value is not None and value is not False and value != []}


def _report_options(report: Report) -> Decorator:
    by = option(
        "--by",
        metavar="COLUMNS",
        multiple=True,
        section=GROUPS,
        help="Group by these columns, too, such as worker_node."
        if report.keys == ("period",)
        else f"Group by these columns ({','.join(report.keys)}); '' makes one row of all.",
    )
    periods = [
        option("--every", metavar="PERIOD", section=GROUPS, help="Group by time, too: 15min, 6h, 1d, 1w or 1mo."),
        options.zone(GROUPS),
    ]
    return compose(
        [
            *([by] if report.takes_by else []),
            *(periods if report.has_periods else []),
            *(_own_option(each) for each in report.options),
        ]
    )


def _own_option(declared: ReportOption) -> Decorator:
    names, settings = (
        (f"--{declared.name.replace('_', '-')}", declared.name),
        {"section": GROUPS, "help": declared.help},
    )
    if declared.kind == "flag":
        return option(*names, is_flag=True, **settings)
    is_list, type_ = declared.kind == "texts", TYPES.get(declared.kind)
    return option(*names, metavar=declared.metavar, multiple=is_list, type=type_, **settings)


def _plot(report: Report) -> Decorator:
    plot = option("--plot", metavar="FILE", section=options.OUTPUT, help="The report's figure too, .png or .svg.")
    return compose([plot] if report.figure else [])


def _watch(report: Report) -> Decorator:
    watch = option(
        "--watch", metavar="SPAN", section=options.OUTPUT, help="Again after this time, such as 5s, until Ctrl-C."
    )
    return compose([watch] if report.repeats else [])


def _describe(column: ReportColumn) -> str:
    unit = f" [{column.unit}]" if column.unit in ("s", "ms", "UTC") else ""
    return f"{column.note}{unit}"
