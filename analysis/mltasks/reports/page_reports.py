"""All reports of some tasks at once: what the page and the summary show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import msgspec
import pandas as pd

from mltasks.engines import prepare
from mltasks.engines.shared_results import share_results
from mltasks.reports import report_info, verdicts
from mltasks.reports.clusters import compare_clusters
from mltasks.reports.durations import durations
from mltasks.reports.error_times import count_error_times
from mltasks.reports.findings.got_worse import Changes, explain_unknown, find_changes
from mltasks.reports.headline import measure_headline
from mltasks.reports.highlights import PARTS, find_highlights, open_history, run_part
from mltasks.reports.history import History
from mltasks.reports.open_groups import group_open_tasks
from mltasks.reports.registry import REPORTS
from mltasks.reports.single_tasks import list_single_tasks
from mltasks.tasks.filter_options import FilterOptions, RateOptions

TYPE_COLUMNS = ("task_type", "tasks", "completed", "failed", "open", "failure_rate", "p50_s", "p95_s")
BEFORE = ("rate_before", "p50_before_s")


@share_results()
def run_reports(
    tasks: Any, *, tz: str = "UTC", as_of: Any = None, **options: Unpack[RateOptions]
) -> dict[str, pd.DataFrame]:
    """Return the highlights, then the table of every report that the page has, by name, in the order of the page.

    What has changed is among them where something has for sure; with `since`, wherever it can be compared.
    """
    tasks, chosen = prepare.open_tasks(tasks), {**options, "tz": tz}
    history = open_history(tasks, as_of, chosen)
    names = [name for name, report in REPORTS.items() if report.on_page]
    highlights, tables, changes = _run(names, tasks, history, as_of, chosen)
    if changes is not None:
        shown = verdicts.TOLD if options.get("since") is None else verdicts.COMPARED
        rows = changes.table[changes.table["verdict"].isin(shown)].reset_index(drop=True)
        tables |= {"compare": rows} if len(rows) else {}
    headline, note = measure_headline(tasks, tables, changes, as_of, chosen)
    info = report_info.read_info(tables["failures"])
    clusters = compare_clusters(tasks, as_of, chosen)
    more = {
        "headline": _with_info(headline, info, "headline", ["measure"], note),
        "open_groups": _with_info(group_open_tasks(tables["unfinished"]), info, "open_groups", ["task_id"]),
        "error_times": _with_info(
            count_error_times(tasks, (info.first_ms, info.last_ms), as_of, chosen), info, "error_times", ["error"]
        ),
        **({} if clusters is None else {"clusters": clusters}),
    }
    for name, table in list_single_tasks(tasks, as_of, chosen).items():
        more[name] = _with_info(table, info, name, ["task_id"])
    return {"highlights": highlights, **tables, **more}


@share_results()
def run_summary(
    tasks: Any, *, tz: str = "UTC", as_of: Any = None, **options: Unpack[RateOptions]
) -> dict[str, pd.DataFrame]:
    """Return the tables that the summary in a terminal shows, and those that its highlights are found in, by name."""
    tasks, chosen = prepare.open_tasks(tasks), {**options, "tz": tz}
    history = open_history(tasks, as_of, chosen)
    highlights, tables, _ = _run([*PARTS, "workers"], tasks, history, as_of, chosen)
    return {"highlights": highlights, **tables}


def _run(
    names: Sequence[str], tasks: Any, history: History, as_of: Any, chosen: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], Changes | None]:
    """Return the highlights, the reports of some names, among them PARTS, and what has changed."""
    tables = {name: run_part(name, tasks, history, as_of, chosen) for name in names}
    changes = find_changes(tasks, history, as_of, chosen)
    return find_highlights(tasks, tables, changes, history, as_of=as_of, options=chosen), tables, changes


def _with_info(
    table: pd.DataFrame, info: report_info.ReportInfo, name: str, keys: Sequence[str], *notes: str
) -> pd.DataFrame:
    return report_info.with_info(table, report_info.rename(info, name, keys, notes))


def count_task_types(tasks: Any, **options: Unpack[FilterOptions]) -> pd.DataFrame:
    """Return one row per task type: counts, failure rate, median and 95th percentile; with `since`, those before it."""
    chosen: dict[str, Any] = dict(options)
    types = durations(tasks, by="task_type", **chosen)  # which has the counts, too, that make a rate
    info = msgspec.structs.replace(report_info.read_info(types), report="overview")
    table = report_info.with_rates(types)[list(TYPE_COLUMNS)]
    if options.get("since") is not None:
        history = open_history(tasks, None, options)
        changes = find_changes(tasks, history, None, options, by="task_type")
        if changes is not None:
            table = table.merge(changes.table[["task_type", *BEFORE]], on="task_type", how="left")
        else:
            info = msgspec.structs.replace(info, notes=[*info.notes, explain_unknown(history, options)])
    return report_info.with_info(table, info)
