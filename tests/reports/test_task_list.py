from __future__ import annotations

import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from mltasks.reports.task_list import COLUMNS, task_list
from support.generated import AS_OF, DAY, HOUR, made


def test_tasks_are_listed_newest_first_and_those_without_a_time_last() -> None:
    times = [AS_OF - DAY, None, AS_OF, AS_OF - HOUR, AS_OF]
    found = task_list(made(*({"create_time": time} for time in times)).pandas())
    assert found["task_id"].tolist() == ["task-2", "task-4", "task-3", "task-0", "task-1"]
    assert list(found.columns) == list(COLUMNS)


def test_columns_are_those_asked_for_in_their_order() -> None:
    assert list(task_list(mltasks.load("demo"), ["state", "seq_no"]).columns) == ["state", "seq_no"]


def test_an_own_column_can_be_listed_too() -> None:
    assert task_list(made({"team": "red"}).pandas(), ["team"])["team"].tolist() == ["red"]


@pytest.mark.parametrize(
    ("name", "hint"), [("functon_name", "did you mean 'function_name'?"), ("nonsense", "there are cluster, task_id")]
)
def test_an_unknown_column_is_refused_with_the_near_one(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        task_list(mltasks.load("demo"), ["state", name])
    assert str(raised.value).startswith(f"columns: there is no column {name!r}; {hint}")


def test_what_it_covers_is_said_by_plausible_creation_times_only() -> None:
    tasks = made(
        {"create_time": AS_OF - HOUR, "last_update_time": None},
        {"create_time": AS_OF + 2 * DAY, "state": "RUNNING"},
        {"create_time": 0},
        {"create_time": AS_OF - DAY, "last_update_time": AS_OF + 9 * DAY},
    ).pandas()
    said = report_info.read_info(task_list(tasks))
    assert (said.tasks, said.first_ms, said.last_ms) == (4, AS_OF - DAY, AS_OF - HOUR)


def test_no_tasks_are_an_empty_list_with_its_columns() -> None:
    found = task_list(made().pandas())
    assert (len(found), list(found.columns)) == (0, list(COLUMNS))
    assert report_info.read_info(found).first_ms is None
