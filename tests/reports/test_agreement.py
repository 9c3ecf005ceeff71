"""One definition, every engine and every kind of table: the same rows, types and notes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle, product
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.engines import prepare
from mltasks.engines.dataset import Dataset
from mltasks.tasks.metadata import ClusterInfo
from support import engines, generated

Report = Callable[..., pd.DataFrame]
REPORTS: list[Report] = [mltasks.durations, mltasks.failures, mltasks.workers]
same = partial(pd.testing.assert_frame_equal, rtol=1e-12)


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


@pytest.fixture(scope="module")
def scanned() -> Dataset:
    return mltasks.scan("demo")


FOR_ALL: list[dict[str, Any]] = [
    {"by": ["worker_node", "outcome"], "every": "10min"},
    {"as_of": "2027-01-01", "by": "state"},
]
FOR_ONE: list[dict[str, Any]] = [  # one of the reports after the other: what they do to a filter or a key is one thing
    {"by": "worker_node"},
    {"by": "is_async,input_type", "every": "1d", "tz": "America/St_Johns"},
    {"by": "cluster", "every": "1w", "tz": "Pacific/Auckland"},
    {"by": "seq_no", "function_name": "kmeans"},
    {"task_type": "deploy_model", "by": ["worker_node", "state"]},
    {"not_task_type": "TRAINING", "node": "n2"},
    {"model": "model", "by": "reason"},
    {"cluster": "ml-fixture"},
    {"as_of": "2026-11-24 22:30"},
]
OTHERS: list[tuple[Report, dict[str, Any]]] = [
    (mltasks.errors, {"task_type": "deploy_model", "node": "n2"}),
    (mltasks.unfinished, {"by": ["worker_node", "state"], "as_of": "2027-01-01"}),
    (mltasks.models, {"function_name": ["kmeans", "remote"], "since": "15m"}),
    (mltasks.timeline, {"by": "worker_node", "every": "1d", "tz": "America/St_Johns", "not_task_type": "TRAINING"}),
    (mltasks.compare, {"by": ["is_async", "input_type"], "since": "10m", "against": "previous"}),
]


@pytest.mark.parametrize(
    ("report", "options"), [*product(REPORTS, FOR_ALL), *zip(cycle(REPORTS), FOR_ONE, strict=False), *OTHERS]
)
def test_a_report_on_the_real_tasks_is_the_same_on_every_engine(
    report: Report, options: dict[str, Any], demo: pd.DataFrame, scanned: Dataset
) -> None:
    expected = report(demo, **options)
    for tasks in engines.datasets(prepare.to_arrow(scanned), scanned.context).values():
        result = report(tasks, **options)
        same(result, expected)
        assert result.attrs == expected.attrs


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("by", [["worker_node", "shard"], ["team", "urgent", "weight"]], ids=str)
def test_a_report_takes_an_arrow_table_and_a_relation_too(report: Report, by: list[str]) -> None:
    tasks = generated.made(
        {"team": "red", "shard": 2**53 + 1, "urgent": True, "weight": 0.5, "last_update_time": generated.AS_OF},
        {"team": None, "shard": 2**53 + 2, "urgent": None, "weight": None, "worker_node": ["n-1", "n-2", "n-1"]},
        {"team": "", "shard": None, "urgent": False, "state": "FAILED", "worker_node": []},
        readings=(ClusterInfo(as_of_ms=generated.AS_OF),),
    )
    expected = report(tasks.pandas(), by)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/New_York'")
    for table in (tasks.arrow, connection.from_arrow(tasks.arrow)):
        same(report(table, by, as_of=generated.AS_OF), expected)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("options", [{}, {"by": ["worker_node", "is_async"], "every": "1d"}], ids=str)
def test_a_report_on_no_tasks_has_the_columns_and_types_of_one_on_some(
    report: Report, options: dict[str, Any], demo: pd.DataFrame
) -> None:
    some = report(demo, **options)
    unknown = generated.made(readings=())
    for nothing in (demo.head(0), unknown.dataset(), unknown.arrow):
        empty = report(nothing, **options, task_type="UPLOAD_MODEL")
        assert list(empty.dtypes.items()) == list(some.dtypes.items())


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_no_tasks_have_a_total_row_of_zeros(report: Report, kind: str) -> None:
    (row,) = report(getattr(generated.made(), kind)(), by=[]).to_dict("records")
    assert (row["tasks"], row["completed"], row["failed"]) == (0, 0, 0)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_tasks_of_which_no_time_is_known_are_counted(report: Report, kind: str) -> None:
    tasks = generated.made(
        {"create_time": None}, {"create_time": 0, "last_update_time": 5}, {"create_time": None, "state": "RUNNING"},
        readings=(),
    )  # fmt: skip
    found = report(getattr(tasks, kind)(), by=[])
    assert found["tasks"].tolist() == [3]
    assert "as of an unknown time: no time in the data can be that of a task" in found.attrs["mltasks_report"]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("by", [["task_type"], ["function_name", "state"], [], ["reason"]], ids=str)
def test_the_rows_add_up_to_the_552_real_tasks(report: Report, by: list[str], demo: pd.DataFrame) -> None:
    found = report(demo, by=by)
    left_out = 28 if report is mltasks.workers else 0  # registrations of remote models
    assert found["tasks"].sum() == 552 - left_out


def test_a_table_that_was_given_is_left_as_it_was(demo: pd.DataFrame) -> None:
    before, attributes = demo.copy(), dict(demo.attrs)
    for report in REPORTS:
        report(demo, by="worker_node", every="1d")
    pd.testing.assert_frame_equal(demo, before)
    assert demo.attrs == attributes
    assert pa.Table.from_pandas(demo).num_rows == 552
