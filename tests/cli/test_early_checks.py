"""What is wrong with a call is said before a task is read, and nothing is called wrong that a table has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mltasks as library
from mltasks.cli import early_checks
from mltasks.cli.main import COMMANDS
from mltasks.exceptions import UsageError
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
        (("list", "--since", "7 days", "--until", "1w"), "since 7 days is not before until 1w; swap them"),
        (("list", "--since", "today", "--until", "1h"), "http://127.0.0.1:1"),  # which depends on the time of day
        (("errors", "--new", "soon"), "new: cannot read 'soon' as a span; write 24h, 7d or 2w"),
        (("errors", "--known", "nowhere.toml"), "known: cannot read nowhere.toml: No such file"),
        (("durations", "--outcome", "open"), "outcome: an open task has no duration yet; there are succeeded"),
        (("compare", "--against", "previous"), "compare: against needs since, the begin of what is compared"),
        (("compare", "--since", "1d", "--against", "befor"), "against: cannot read 'befor' as a time"),
        (("compare", "--split", "1d", "--node", "n1"), "compare: split, against and node are three ways to compare"),
        (("compare", "--node", "n1", "--by", "node"), "compare: node compares one node with the others"),
    ],
)
def test_a_cluster_is_not_asked_for_what_cannot_be(mltasks: Command, arguments: tuple[str, ...], said: str) -> None:
    code = 3 if said.startswith("http") else 2
    command, *others = arguments
    assert mltasks.fails(code, command, "http://127.0.0.1:1", *others, "--deadline", "1").startswith(said)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *((name, "nope") for name in ("task_type", "not_task_type", "state", "not_state", "function_name", "cluster")),
        *(("node", word) for word in ("n4", "N1", "hzhj")),
        ("task_type", "Trainig"),
        ("task_type", "training"),
    ],
)
def test_what_the_example_data_has_is_known_without_reading_it(name: str, word: str) -> None:
    def load() -> None:
        options: dict[str, Any] = {name: word}
        library.load("demo", **options)

    assert _said(lambda: early_checks.check_filters({name: [word]}, ["demo"])) == _said(load)


def _said(check: Callable[[], None]) -> str | None:
    try:
        check()
    except UsageError as error:
        return str(error)
    return None


def test_a_word_that_other_tasks_may_have_is_looked_for_in_them(mltasks: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "tasks.parquet")
    library.load("demo").assign(task_type="NEW_KIND").to_parquet(path)
    for sources in ((path,), ("demo", path)):
        assert "552 tasks" in mltasks("list", *sources, "--task-type", "new_kind", "--columns", "task_id").out


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("verify", "publish")])
@pytest.mark.parametrize("source", ["demo", "http://127.0.0.1:1"])
def test_a_file_with_clusters_that_is_not_there_is_told_by_every_command(
    mltasks: Command, command: str, source: str
) -> None:
    line = mltasks.fails(2, command, source, "--config", "nowhere.toml")
    assert line == "--config nowhere.toml: there is no such file"


def test_a_file_with_clusters_that_the_environment_names_is_told_too(
    mltasks: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLTASKS_CONFIG", "nowhere.toml")
    line = mltasks.fails(2, "failures", "demo")
    assert line == "--config nowhere.toml: there is no such file; it is set by MLTASKS_CONFIG in the environment"


def test_a_sync_names_a_folder_that_is_no_store_before_it_asks_any_cluster(mltasks: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    for clusters in (("http://127.0.0.1:1",), ("http://127.0.0.1:1", "http://127.0.0.1:2")):
        line = mltasks.fails(2, "sync", *clusters, str(tmp_path))
        assert line == f"{tmp_path}: is not a store and not empty; name a new folder, and sync makes it"
    assert "mltasks publish copies there" in mltasks.fails(2, "sync", "http://127.0.0.1:1", "s3://bucket/history")


def test_a_query_to_a_file_is_told_before_a_cluster_beside_it_is_asked(mltasks: Command) -> None:
    line = mltasks.fails(2, "failures", "http://127.0.0.1:1", "demo", "--query", "{}")
    assert line.startswith("demo: a query is for clusters; on a file use the filters")
