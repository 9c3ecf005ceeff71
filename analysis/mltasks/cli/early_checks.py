"""What is wrong with a call and needs no task to tell: said before anything heavy is imported, or a cluster asked."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mltasks.cli import options
from mltasks.opensearch.access import DEMO
from mltasks.reports.declaration import Report
from mltasks.tasks import column_names, filter_values, filter_words, group_columns, schema
from mltasks.tasks.filter_declarations import HELP

if TYPE_CHECKING:
    from mltasks.opensearch.access import Access


def check_report(report: Report, sources: Sequence[str], access: Access, given: Mapping[str, Any]) -> None:
    """Raise UsageError for a column or a value of an option that a report of these sources cannot have."""
    by = given.get("by") or report.keys
    keys = [group_columns.OTHER_NAMES.get(name, name) for name in group_columns.parse_by(by)]
    if given.get("by") and _are_declared(sources, access):
        group_columns.check_by(by, report.column_names)
    names = [*keys, *report.column_names, *(["period"] if given.get("every") else [])]
    names += ["node_name"] if "worker_node" in keys else []  # as some reports call the nodes beside their ids
    check_columns(options.split_names(given.get("columns")), given.get("sort"), names)
    _check_moments({each.name: given.get(each.name) for each in report.options if each.metavar == "TIME"})
    if report.check is not None:
        report.check(given)
    single = [each.name for each in report.options if each.kind == "text" and each.name in HELP]
    check_filters({**{name: given.get(name) or None for name in single}, "tz": given.get("tz")})


def _check_moments(values: Mapping[str, str | None]) -> None:
    """Raise UsageError for a time that cannot be read."""
    for name, text in values.items():
        if text is not None:
            from mltasks.tasks import times

            times.parse_time(text, round(time.time() * 1000), name)


def check_task_list(sources: Sequence[str], access: Access, columns: Sequence[str], sort: str | None) -> None:
    """Raise UsageError for a column that the tasks of these sources cannot have."""
    if _are_declared(sources, access):
        check_columns(columns, sort, [*schema.COLUMNS, *schema.JOB_COLUMNS])
    elif sort is not None:
        column_names.parse_sort(sort)


def check_columns(columns: Sequence[str], sort: str | None, names: Collection[str]) -> None:
    """Raise UsageError where `--sort` or `--columns` is of none of the names."""
    if sort is not None:
        name, _ = column_names.parse_sort(sort)
        if name not in names:
            raise column_names.unknown_column("sort", name, names)
    for name in columns:
        if name not in names:
            raise column_names.unknown_column("columns", name, names)


def check_filters(chosen: Mapping[str, Any], sources: Sequence[str] = ()) -> None:
    """Raise UsageError for a time, a time zone or a word of a filter that cannot be read.

    Also for a word that no task of the sources has, where they are known without reading them: those of `demo`.
    """
    folded = filter_words.parse_filters(chosen)
    if folded and {*sources} == {DEMO}:
        from mltasks.sources import demo

        filter_values.check_words(folded, demo.context(), lambda column: ())  # which has no values of its own
    if any(isinstance(chosen.get(name), str) for name in ("since", "until", "tz")):
        from mltasks.tasks import times

        tz, now_ms = chosen.get("tz"), round(time.time() * 1000)
        tz = "UTC" if tz is None else tz
        times.zone(tz)
        words = {name: chosen.get(name) for name in ("since", "until") if isinstance(chosen.get(name), str)}
        moments = {name: times.parse_time(word, now_ms, name, tz) for name, word in words.items()}
        if len(moments) == 2 and not any(map(times.is_relative, words.values())):
            times.check_window(moments["since"], moments["until"])
        times.check_spans(words.get("since"), words.get("until"))


def parse_span(text: str, name: str) -> float:
    """Return a span in seconds; raises UsageError for one that cannot be read."""
    from mltasks.tasks import times

    return times.parse_span(text, name)


def check_period(text: str) -> None:
    """Raise UsageError for a period that cannot be read."""
    from mltasks.tasks import times

    times.parse_period(text)


def _are_declared(sources: Sequence[str], access: Access) -> bool:
    """Tell whether the tasks of all sources have the declared columns, and no others."""
    from mltasks.sources import source_kind

    return not any(source_kind.may_have_own_columns(name, access.config) for name in sources)
