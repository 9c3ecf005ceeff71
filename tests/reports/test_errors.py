from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from mltasks.tasks.metadata import ClusterInfo
from support import labelled
from support.generated import AS_OF, DAY, HOUR, made

SOURCES: list[Callable[[str], Any]] = [mltasks.load, mltasks.scan]


def failed(ms: int, error: str | None, **fields: Any) -> dict[str, Any]:
    return {"create_time": ms, "last_update_time": ms + 1000, "state": "FAILED", "error": error, **fields}


def both(*tasks: dict[str, Any], **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    expected = mltasks.errors(made(*tasks).pandas(), **options)
    pd.testing.assert_frame_equal(mltasks.errors(made(*tasks).dataset(), **options), expected)
    return expected


@pytest.mark.parametrize("source", SOURCES)
def test_the_failures_of_real_tasks(source: Callable[[str], Any]) -> None:
    table = mltasks.errors(source("demo"))
    sums = table[["tasks", "failed", "partial", "variants"]].sum()
    assert (len(table), *sums) == (20, 161, 156, 5, 28)
    counts = table.groupby("cause")["tasks"].sum().to_dict()
    assert counts == {
        "input": 59,
        "unsupported": 38,
        "network": 19,
        "artifact": 15,
        "capacity": 14,
        "missing": 9,
        "cluster": 7,
    }
    rows = table.set_index("error")
    first = rows.sort_values("tasks", ascending=False).head(4)
    assert first["tasks"].to_dict() | {"no such index [<name>]": 9} == {
        "Method is not implemented": 38,
        "all shards failed": 17,
        "Offline model is enabled.": 10,
        "Failed to find model": 9,
        "no such index [<name>]": 9,
    }
    assert rows["node_failures"][rows["node_failures"] > 0].to_dict() == {
        "Method is not implemented": 84,
        "Offline model is enabled.": 30,
        "could not reach <host>": 3,
        "exceed max running task limit": 10,
    }
    limit = rows.loc["exceed max running task limit"]
    assert (limit["tasks"], limit["failed"], limit["partial"]) == (6, 1, 5)
    (rejected,) = table[table["error"].str.startswith("rejected execution")].to_dict("records")
    assert (rejected["tasks"], rejected["variants"], rejected["burst"]) == (8, 8, 8)
    assert rows.loc["could not reach <host>", "tasks"] == 3
    notes = report_info.read_info(table).notes
    assert "156 failed and 5 partial tasks with 28 texts in 20 groups" in notes
    assert "what is new cannot be told: the tasks reach back less than twice 7d" in notes


@pytest.mark.parametrize("source", SOURCES)
def test_the_example_is_the_newest_task_with_its_text(source: Callable[[str], Any]) -> None:
    tasks = mltasks.load("demo").set_index("task_id")
    for row in mltasks.errors(source("demo")).to_dict("records"):
        task = tasks.loc[row["example_task_id"]]
        assert task["create_time"] == row["last_seen"]
        assert row["example"] in task["reason"]


def test_a_deployment_with_two_texts_counts_in_both_with_the_nodes_that_it_names() -> None:
    error = '{"n-1": "low memory", "n-2": "low memory", "n-3": "no route to /a/b.zip; gone"}'
    table = both(failed(AS_OF, error, task_type="DEPLOY_MODEL", worker_node=["n-1", "n-2", "n-3", "n-4"]))
    assert table[["error", "tasks", "node_failures", "nodes", "example"]].to_numpy().tolist() == [
        ["low memory", 1, 2, "alpha, beta", "low memory"],
        ["no route to <path>; gone", 1, 1, "gamma", "no route to /a/b.zip; gone"],
    ]
    notes = report_info.read_info(table).notes
    assert "1 failed task with 2 texts in 2 groups" in notes
    assert "deployments with several texts count in each of them: 1 more in sum" in notes


def test_two_texts_of_one_deployment_that_are_one_error_count_once() -> None:
    error = '{"n-1": "no route to 10.0.0.1", "n-2": "no route to 10.0.0.2"}'
    (row,) = both(failed(AS_OF, error, task_type="DEPLOY_MODEL")).to_dict("records")
    assert (row["error"], row["tasks"], row["node_failures"]) == ("no route to <host>", 1, 2)


def test_a_task_without_a_text_is_in_a_group_of_its_own() -> None:
    table = both(failed(AS_OF, None), failed(AS_OF - 1, "broken"), failed(AS_OF, None, create_time=None))
    assert table["tasks"].tolist() == [2, 1]
    assert table["error"].isna().tolist() == [True, False]
    assert table["cause"].tolist() == ["unknown", "unknown"]
    assert table["example_task_id"].notna().all()


def test_an_agents_text_is_that_of_its_response() -> None:
    task = failed(AS_OF, None, task_type="AGENT_EXECUTION", response='{"error_message": "Failed to find model"}')
    (row,) = both(task).to_dict("records")
    assert (row["error"], row["cause"]) == ("Failed to find model", "missing")


DAYS = {"new": [3], "ongoing": [20, 15, 9, 3], "returned": [20, 1], "gone": [20, 8]}


def test_new_ongoing_returned_and_gone() -> None:
    tasks = [failed(AS_OF - day * DAY, status) for status, days in DAYS.items() for day in days]
    tasks.append(failed(AS_OF - 20 * DAY, None, state="COMPLETED"))
    table = both(*tasks)
    assert dict(zip(table["error"], table["status"], strict=True)) == {status: status for status in DAYS}
    longer = both(*tasks, new="30d")
    assert set(longer["status"]) == {"ongoing"}
    unknown = "what is new cannot be told: the tasks reach back less than twice 30d; with --new 7d it can"
    assert unknown in report_info.read_info(longer).notes


@pytest.mark.parametrize(("oldest", "status"), [(14 * DAY, "new"), (14 * DAY - 1, "ongoing")])
def test_what_is_new_needs_tasks_of_twice_the_time(oldest: int, status: str) -> None:
    (row,) = both(failed(AS_OF - 7 * DAY, "fresh"), failed(AS_OF - oldest, None, state="COMPLETED")).to_dict("records")
    assert row["status"] == status


def test_the_two_weeks_of_labelled_tasks_begin_minutes_too_late_to_tell_what_is_new_in_seven_days() -> None:
    table = mltasks.errors(labelled.load())
    assert "new" not in set(table["status"])
    unknown = "what is new cannot be told: the tasks reach back less than twice 7d; with --new 6d it can"
    assert unknown in report_info.read_info(table).notes


def test_a_status_looks_beyond_the_window_that_is_counted() -> None:
    tasks = [failed(AS_OF - day * DAY, status) for status, days in DAYS.items() for day in days]
    tasks.append(failed(AS_OF - 20 * DAY, None, state="COMPLETED"))
    table = both(*tasks, since="10d")
    assert dict(zip(table["error"], table["status"], strict=True)) == {status: status for status in DAYS}
    assert table.set_index("error")["tasks"].to_dict() == {"new": 1, "ongoing": 2, "returned": 1, "gone": 1}


def test_tasks_that_were_read_with_a_since_are_known_since_then() -> None:
    early, fresh = failed(AS_OF - 14 * DAY + HOUR, None, state="COMPLETED"), failed(AS_OF - DAY, "fresh")
    frame = mltasks.load(made(early, fresh).pandas(), since="14d")
    assert mltasks.errors(frame)["status"].tolist() == ["new"]
    assert mltasks.errors(made(early, fresh).pandas())["status"].tolist() == ["ongoing"]


@pytest.mark.parametrize("since", [None, "10d"])
def test_what_occurs_only_in_a_cluster_that_is_not_known_for_long_is_not_called_new(since: str | None) -> None:
    tasks = [
        failed(AS_OF - 20 * DAY, None, state="COMPLETED", cluster="east"),
        failed(AS_OF - DAY, "in both", cluster="east"),
        failed(AS_OF - HOUR, "in both", cluster="west"),
        failed(AS_OF - HOUR, "in west", cluster="west"),
        failed(AS_OF - DAY, "in east", cluster="east"),
    ]
    clusters = made(*tasks, readings=tuple(ClusterInfo(cluster=name, as_of_ms=AS_OF) for name in ("east", "west")))
    table = mltasks.errors(clusters.pandas(), since=since)
    pd.testing.assert_frame_equal(mltasks.errors(clusters.dataset(), since=since), table)
    statuses = dict(zip(table["error"], table["status"], strict=True))
    assert statuses == {"in both": "new", "in east": "new", "in west": "ongoing"}
    unknown = "what is new cannot be told of west: tasks there reach back less than twice 7d"
    assert unknown in report_info.read_info(table).notes
    found = mltasks.highlights(clusters.pandas())
    assert set(found.loc[found["kind"] == "new_error", "row"]) == {"in both", "in east"}
    notes = report_info.read_info(found).notes
    assert "new errors cannot be told of west: tasks there reach back less than twice 7d" in notes


def test_a_burst_is_the_most_within_five_minutes() -> None:
    minutes = [0, 4, 4.99, 5, 8.99, 30, 31]
    (row,) = both(*(failed(AS_OF - HOUR + int(minute * 60_000), "broken") for minute in minutes)).to_dict("records")
    assert (row["tasks"], row["burst"]) == (7, 4)  # 4, 4.99, 5 and 8.99, but not 0 with 5


def test_the_planted_new_error_and_the_one_that_is_gone() -> None:
    table = mltasks.errors(labelled.load(), new="6d").set_index("error")
    assert table.loc["Memory Circuit Breaker is open, please check your resources!", "status"] == "new"
    assert table.loc["Model content hash can't match original hash value", "status"] == "gone"
    assert table.loc["all shards failed", "status"] == "ongoing"
    assert table.loc["all shards failed", "tasks"] == 194


def test_a_file_of_ones_own_is_asked_first(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(
        '[[error]]\nmatch = "^Connection refused$"\ncause = "proxy"\n'
        'means = "The proxy is down."\nremedy = "Call Ann."\n'
    )
    table = mltasks.errors(mltasks.load("demo"), known=str(path)).set_index("error")
    assert table.loc[["Connection refused"], ["cause", "means", "remedy"]].to_numpy().tolist() == [
        ["proxy", "The proxy is down.", "Call Ann."]
    ]
    assert table.loc["model content changed", "cause"] == "artifact"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[[error]]\n", "match is missing"),
        ("[[error]]\nmatch = '('\n", "is no regular expression"),
        ("[[error]]\nmatch = 'x'\ncuase = 'y'\n", "there is no 'cuase'"),
        ("[[error]]\nmatch = 1\n", "every value is a text"),
        ("x = 1\n", r"has no \[\[error\]\] entries"),
        ("[", "is no TOML"),
    ],
)
def test_a_file_that_cannot_be_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(content)
    with pytest.raises(UsageError, match=rf"known.toml.*{message}"):
        mltasks.errors(mltasks.load("demo"), known=str(path))


def test_a_file_or_span_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match=r"known: cannot read nowhere.toml: No such file"):
        mltasks.errors(mltasks.load("demo"), known="nowhere.toml")
    for span in ("soon", "0d"):
        with pytest.raises(UsageError, match="new: cannot read"):
            mltasks.errors(mltasks.load("demo"), new=span)


def test_a_span_of_what_is_new_is_spelt_as_every_other() -> None:
    tasks = mltasks.load("demo")
    for span, same in (("7days", "7d"), ("30 min", "30m"), ("2W", "2w")):
        assert mltasks.errors(tasks, new=span).equals(mltasks.errors(tasks, new=same))


def test_what_did_not_fail_has_no_errors() -> None:
    table = both({"state": "COMPLETED"}, {"state": "RUNNING"}, {"state": "CANCELLED"})
    assert table.empty
    assert [*table.columns][:3] == ["error", "cause", "status"]
