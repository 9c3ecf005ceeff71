"""What is wrong with a call is said before a task is read, and nothing is called wrong that a table has."""

from __future__ import annotations

from pathlib import Path

import pytest

import mltasks as library
from mltasks.cli import early_checks
from mltasks.opensearch.access import Access
from mltasks.reports.registry import REPORTS
from support.command import Command


@pytest.mark.parametrize("name", REPORTS)
def test_every_column_that_a_report_has_is_one_to_show_and_to_sort_by(name: str) -> None:
    report = REPORTS[name]
    given: dict[str, str] = {"by": "node,task_type"} if report.takes_by else {}
    given |= {"every": "1h"} if report.has_periods else {}
    table = getattr(library, name)("demo", **given)
    for column in table.columns:
        early_checks.check_report(report, ["demo"], Access(), {**given, "columns": column, "sort": f"{column}:asc"})


def test_what_a_user_has_added_to_a_parquet_file_is_a_group_and_a_column(mltasks: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "tasks.parquet")
    library.load("demo").assign(team="search").to_parquet(path)
    (row,) = mltasks("failures", path, "--by", "team", "--sort", "team", "--format", "json").rows
    assert (row["team"], row["tasks"]) == ("search", 552)
    rows = mltasks("list", path, "--columns", "team", "--sort", "team", "--top", "1", "--format", "json").rows
    assert rows == [{"team": "search"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("failures", "--by", "node_nmae"), "by: there is no column 'node_nmae'; did you mean 'worker_node'?"),
        (
            ("failures", "--by", "Task-Type", "--sort", "x"),
            "by: there is no column 'Task-Type'; did you mean 'task_type'?",
        ),
        (("unfinished", "--by", "verdct"), "by: there is no column 'verdct'; there are cluster, task_id, task_type"),
        (
            ("failures", "--sort", "Failure Rate"),
            "sort: there is no column 'Failure Rate'; did you mean 'failure_rate'?",
        ),
        (("list", "--sort", "job_strat"), "sort: there is no column 'job_strat'; did you mean 'job_start'?"),
        (("list", "--outcome", "faild"), "outcome: there is no outcome 'faild'; did you mean failed? there are "),
        (("durations", "--outcome", "all,opne"), "outcome: there is no outcome 'opne'; did you mean open? there are "),
        (("list", "--since", "2026-11-25", "--until", "2026-11"), "http://127.0.0.1:1"),  # 2026-11: to its end
    ],
)
def test_a_cluster_is_not_asked_for_what_cannot_be(mltasks: Command, arguments: tuple[str, ...], said: str) -> None:
    code = 3 if said.startswith("http") else 2
    command, *others = arguments
    assert mltasks.fails(code, command, "http://127.0.0.1:1", *others, "--deadline", "1").startswith(said)
