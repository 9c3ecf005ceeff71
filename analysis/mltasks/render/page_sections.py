"""The sections of the page: which tables it has, in which order, with which columns; what opens with a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from mltasks.render import page_rows, time_bars
from mltasks.render.page_rows import Column
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports.findings import finding
from mltasks.reports.functions import join_functions
from mltasks.reports.models import NOT_READ
from mltasks.reports.models_not_up import select_models_not_up

MOST, MOST_MODELS = 50, 15  # rows of a table; the commands show the rest
ON_PAPER = 15  # rows of a table on paper, as the style hides the others; and of some sections
FEWER_ON_PAPER = {"models": 8, "slowest": 5, "latest_failures": 5}


class Section(NamedTuple):
    """A table of the page, made of the table that is called `of`; links name its rows by the name of the section."""

    name: str
    of: str
    title: str
    says: str
    columns: tuple[Column, ...]
    details: tuple[str, ...] = ()
    nothing: str = ""  # what stands in place of an empty table
    command: str = ""  # that shows all rows


RATE = Column("failure_rate", "failure rate", figure="interval")
SECTIONS = (
    Section(
        "clusters",
        "clusters",
        "Clusters",
        "The clusters side by side; the rate is failed / (completed + failed) with its 95 % interval.",
        (
            *(Column("cluster"), Column("tasks"), Column("failed", rank="second"), RATE, Column("open", rank="second")),
            *(Column("lost"), Column("new_errors", "new errors"), Column("data_age_s", "age of the data")),
            Column("as_of", "read", rank="third"),
        ),
        command="failures --by cluster",
    ),
    Section("timeline", "timeline", "When", "", (), command="timeline"),
    Section(
        "unfinished",
        "open_groups",
        "Unfinished",
        "Open tasks by what is known of them: lost is proved by the nodes, waiting is a provider's.",
        (
            *(Column("function_name", "function", over="task_type"), Column("task_type", "task type", rank="second")),
            *(Column("verdict", badge=True), Column("tasks"), Column("age_s", "oldest")),
            *(Column("nodes", rank="second"), Column("evidence", "how it is known, of the oldest", rank="third")),
        ),
        ("evidence", "nodes", "task_id"),
        nothing="No task is open.",
        command="unfinished",
    ),
    Section(
        "errors",
        "errors",
        "Errors",
        "Texts without what differs from task to task; open a row for the text as it was, and what to do.",
        (
            *(Column("error"), Column("status", rank="second", badge=True), Column("tasks")),
            *(Column("when", figure="strip", rank="second"), Column("functions", rank="third")),
            *(Column("nodes", rank="third"), Column("last_seen", "last seen")),
        ),
        (
            "example",
            "means",
            "remedy",
            "task_types",
            "functions",
            "nodes",
            "first_seen",
            "last_seen",
            "example_task_id",
        ),
        nothing="No task failed.",
        command="errors",
    ),
    Section(
        "failures",
        "functions",
        "Functions",
        "Failure rate with its 95 % interval; median to 95th percentile of completed tasks, logarithmic; "
        "change where one is clear.",
        (
            *(Column("function_name", "function", over="task_type"), Column("task_type", "task type", rank="second")),
            *(Column("tasks", rank="second"), Column("failed"), RATE, Column("p50_s", "median", rank="second")),
            *(Column("p95_s", "p95", figure="durations"), Column("wait_share", "waiting", rank="third")),
            *(
                Column("last_success", "last success", rank="third"),
                Column("failing_since", "failing since", rank="second"),
            ),
            Column("change", rank="third", badge=True),
        ),
        (
            *("change_evidence", "completed", "partial", "cancelled", "open", "overdue", "failures_in_a_row"),
            *("last_success", "failing_since", "measured", "p99_s", "max_s", "wait_s", "run_s"),
        ),
        nothing="No task finished.",
        command="failures",
    ),
    Section(
        "models",
        "models",
        "Models that are not up",
        "Models that are down, partial or stuck, and those of no known state whose last deployment did not succeed.",
        (
            *(Column("name", "model", over="function_name"), Column("function_name", "function", rank="second")),
            *(Column("verdict", badge=True), Column("planned", rank="third"), Column("current", rank="third")),
            *(Column("deploys", rank="second"), Column("failed"), Column("last_outcome", "last", rank="third")),
            *(Column("last_success", "last success", rank="second"), Column("failing_since", "failing since")),
        ),
        ("model_id", "model_state", "last_error", "failures_in_a_row", "retries", "open_jobs"),
        nothing="No model asks for anything.",
        command="models",
    ),
    Section(
        "workers",
        "workers",
        "Nodes",
        "A task with several nodes counts on each; expected: failures if each task failed as often as its kind does.",
        (
            *(
                Column("node_name", "node", over="cluster"),
                Column("cluster", rank="second"),  # where clusters share ids of nodes
                Column("tasks"),
                Column("failed"),
                Column("expected_failed", "expected", rank="second"),
            ),
            *(
                RATE,
                Column("task_share", "load", figure="share", rank="second"),
                Column("peak_in_flight", "peak", rank="third"),
            ),
            Column("overdue", rank="third"),
        ),
        ("worker_node", "completed", "task_s", "active_s", "mean_in_flight", "peak_in_flight", "overdue"),
        nothing="No node worked on a task.",
        command="workers",
    ),
    Section(
        "slowest",
        "slowest",
        "The slowest tasks",
        "Completed tasks that took longest.",
        (
            *(Column("task_id", "task"), Column("function_name", "function", rank="second")),
            *(Column("task_type", "task type", rank="third"), Column("node_name", "node", rank="second")),
            *(Column("create_time", "created"), Column("duration_s", "took")),
        ),
        nothing="No task was measured.",
        command="list --outcome completed --sort duration_s --top 0",
    ),
    Section(
        "latest_failures",
        "latest_failures",
        "The latest failures",
        "Failed tasks that were created last.",
        (
            *(Column("task_id", "task", over="create_time"), Column("function_name", "function", rank="second")),
            *(Column("task_type", "task type", rank="third"), Column("node_name", "node", rank="second")),
            *(Column("create_time", "created", rank="second"), Column("reason", "error")),
        ),
        nothing="No task failed.",
        command="list --outcome failed",
    ),
)


def make_sections(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return what the template needs of each section that there is a table for."""
    views = {name: make_view(table) for name, table in tables.items()}
    views["functions"] = make_view(join_functions(tables))
    return [_make(section, views[section.of], tables) for section in SECTIONS if section.of in views]


def _make(section: Section, view: View, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    says = section.says
    if section.name == "models":
        table, others = select_models_not_up(view.frame)
        names = table["name"].fillna(table["model_id"])
        view = View(table.assign(name=names), view.info)
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in others.items())
        says = f"{section.says} The others: {counts}." if others else section.says
    chart = time_bars.place_periods(view.frame, view.info.marks) if section.of == "timeline" else None
    wanted = section.columns or page_rows.list_numbers(view)
    most = time_bars.MOST_BARS if chart else MOST_MODELS if section.of == "models" else MOST
    shown = View(view.frame.head(most), view.info)
    columns = page_rows.select_columns(shown, wanted)
    rows = page_rows.make_rows(shown, columns, section.details, section.name, tables.get("error_times"))
    count, on_paper = len(view.frame), FEWER_ON_PAPER.get(section.name, ON_PAPER)
    is_unknown = section.of == "models" and any(note.startswith(NOT_READ) for note in view.info.notes)
    source = finding.Commands(view.info.source, view.info.filters)
    return {
        "name": section.name,
        "title": section.title,
        "question": says,
        "remedies": page_rows.list_remedies(view.frame) if section.of == "open_groups" else [],
        "columns": page_rows.make_headings(view, columns),
        "rows": rows,
        "count": "?" if is_unknown and not count else _count(section, view.frame),
        "chart": chart,
        "figure": "",
        "nothing": f"Not known: {NOT_READ}." if is_unknown else section.nothing,
        "cut": f"{len(rows):,} of {count:,}; all: {source.show(section.command)}" if len(rows) < count else "",
        "paper_cut": f"{on_paper} of {count:,} on paper" if len(rows) > on_paper and chart is None else "",
    }


def _count(section: Section, table: pd.DataFrame) -> str:
    """Return how many things there are of what a section shows; nothing where that is always the same."""
    if section.of in ("timeline", "slowest", "latest_failures"):
        return ""
    return f"{table['tasks'].sum() if section.of == 'open_groups' else len(table):,}"
