"""Every report gives on Spark what it gives on pandas: the same rows, types and notes, whatever the session's zone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings

import mltasks
from mltasks.engines import prepare, spark, spark_files, spark_json
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import DataError, UsageError
from mltasks.reports.registry import REPORTS
from mltasks.tasks import conform
from mltasks.tasks.json_values import UnreadableCounts
from support import generated
from support.generated import AS_OF, Made, made

RESULTS = {"durations": 1, "failures": 3, "workers": 4, "errors": 5}  # that come back of Spark, a job each

same = partial(pd.testing.assert_frame_equal, rtol=1e-9)


@pytest.fixture(scope="module")
def demo(session: Any) -> tuple[Dataset, Dataset]:
    """The real tasks here, and on Spark."""
    scanned = mltasks.scan("demo")
    rows = conform.conform(prepare.to_arrow(scanned), UnreadableCounts())
    return scanned, Dataset(spark_files.scan(rows, session).cache(), scanned.context)


@pytest.mark.parametrize("name", [*REPORTS])
def test_a_report_on_the_real_tasks_is_the_same(
    name: str, demo: tuple[Dataset, Dataset], session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, results = type(demo[1].frame), list[int]()
    to_arrow = kind.toArrow

    def count(frame: Any) -> Any:
        results.append(1)
        return to_arrow(frame)

    monkeypatch.setattr(kind, "toArrow", count)
    expected, table = (REPORTS[name].function()(tasks) for tasks in demo)
    same(table, expected)
    assert table.attrs == expected.attrs
    assert sum(results) == RESULTS.get(name, sum(results))
    assert session.sparkContext._jsc.getPersistentRDDs().size() == 1  # the tasks, which the fixture keeps


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("workers", {"by": ["worker_node", "outcome"], "every": "10min", "tz": "Asia/Kolkata"}),
        ("durations", {"by": "task_type", "jobs": True}),
        ("failures", {"by": ["reason", "is_async"], "since": "2026-11-24 22:05", "node": "n2"}),
    ],
    ids=str,
)
def test_groups_periods_and_filters_are_the_same(
    name: str, options: dict[str, Any], demo: tuple[Dataset, Dataset]
) -> None:
    expected, table = (getattr(mltasks, name)(tasks, **options) for tasks in demo)
    same(table, expected)
    assert table.attrs == expected.attrs


@given(generated.tasks(), generated.options(periods=("6h",)))
@settings(max_examples=1, derandomize=True, database=None, deadline=None, phases=(Phase.generate,))
def test_tasks_of_every_kind_are_counted_the_same(session: Any, tasks: Made, options: dict[str, Any]) -> None:
    dataset = Dataset(spark_files.scan(tasks.arrow, session), tasks.context)
    for report in (mltasks.failures, mltasks.durations, mltasks.workers):
        try:
            expected = report(tasks.pandas(), **options)
        except UsageError as error:
            with pytest.raises(UsageError, match="^" + str(error)[:20].replace("(", ".")):
                report(dataset, **options)
        else:
            same(report(dataset, **options), expected)


def test_a_users_frame_is_taken_with_its_own_columns_and_each_task_once(session: Any) -> None:
    tasks = made(
        {"team": "red", "shard": 2**53 + 1, "urgent": True, "weight": 0.5},
        {"team": None, "shard": None, "urgent": None, "weight": None, "worker_node": ["n-1", "n-2", "n-1"]},
        {"task_id": "task-0", "seq_no": 7, "team": "red", "state": "FAILED", "error": "timeout after 600 seconds\n"},
        {"cluster": "west", "task_id": "task-1", "worker_node": []},
        {"state": "FAILED", "response": '{"error\\u005fmessage": "out of luck"}'},
    )
    frame = spark.from_arrow(tasks.arrow, tasks.context)
    by = ["worker_node", "shard", "team", "urgent", "weight"]
    table = mltasks.failures(frame, by, as_of=AS_OF)
    same(table, mltasks.failures(tasks.arrow, by, as_of=AS_OF))
    why = mltasks.errors(frame, as_of=AS_OF)
    same(why, mltasks.errors(tasks.arrow, as_of=AS_OF))
    assert "out of luck" in why["error"].tolist()
    assert any(
        "1 task id is there under several cluster names, such as task-1 of east and west" in n
        for n in table.attrs["mltasks_report"].split('"')
    )


def test_naive_times_are_utc_and_other_spellings_of_columns_are_taken(session: Any) -> None:
    frame = session.sql(
        "SELECT 'a' AS `_id`, 'TRAINING' AS task_type, 'KMEANS' AS function_name, 'COMPLETED' AS state, "
        "'[n-1, n-2]' AS worker_node, TIMESTAMP_NTZ '2026-11-24 21:55:00' AS create_time, "
        "TIMESTAMP_NTZ '2026-11-24 21:55:30' AS last_update_time, 'x' AS State2"
    )
    table = mltasks.workers(frame)
    assert table[["worker_node", "tasks", "task_s"]].to_numpy().tolist() == [["n-1", 1, 30.0], ["n-2", 1, 30.0]]
    (created,) = mltasks.timeline(frame, every="1h").query("created == 1")["period"]
    assert created == pd.Timestamp("2026-11-24 21:00", tz="UTC")


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ("1 AS a, 2 AS b", DataError, "the Spark DataFrame holds no tasks: it has no column state and no create_time"),
        (
            "'x' AS state, '2026-11-24' AS create_time",
            UsageError,
            r"of the type string; make it a timestamp",
        ),
        ("'x' AS state, 17L AS create_time", UsageError, "'create_time' of the type bigint; .*timestamp_millis"),
        ("'x' AS state, now() AS create_time, 5 AS worker_node", UsageError, "type int; make it array<string>"),
    ],
)
def test_a_frame_that_cannot_be_taken_says_what_to_give(
    session: Any, columns: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mltasks.failures(session.sql(f"SELECT {columns}"))


def test_more_than_memory_is_meant_for_is_an_error(
    monkeypatch: pytest.MonkeyPatch, demo: tuple[Dataset, Dataset]
) -> None:
    monkeypatch.setattr(spark, "SORTED_VALUES", 30)
    with pytest.raises(UsageError, match="takes 15 different rows of Spark into memory at most, and there are more"):
        mltasks.errors(demo[1])
    monkeypatch.setattr(spark_json, "TEXTS", 2)
    with pytest.raises(UsageError, match=r"more than 2 different texts of (error|response)s, which this"):
        mltasks.errors(demo[1])
