from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from mltasks.engines import prepare
from mltasks.tasks import duration_status, schema, table
from mltasks.tasks.metadata import ClusterInfo
from support import generated, oracle
from support.generated import AS_OF, DAY, HOUR, made

START = AS_OF - HOUR
FIELDS = ("outcome", "duration_s", "duration_status")


def found(*rows: dict[str, Any], readings: tuple[ClusterInfo, ...] = generated.READINGS) -> list[dict[str, Any]]:
    tasks = made(*rows, readings=readings)
    derived_too: list[dict[str, Any]] = table.with_derived(tasks.arrow, tasks.context).to_pylist()
    return derived_too


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("succeeded", 2.0, "measured")),
        ({"last_update_time": START}, ("succeeded", 0.0, "measured")),
        ({"last_update_time": START - 1}, ("succeeded", None, "clock_skew")),
        ({"state": "COMPLETED_WITH_ERROR"}, ("partial", 2.0, "measured")),
        ({"state": "FAILED", "error": "oom"}, ("failed", 2.0, "measured")),
        ({"state": "FAILED", "error": "timeout after 600 seconds"}, ("failed", None, "cut_off")),
        ({"state": "EXPIRED", "error": "timeout after 5 seconds"}, ("failed", None, "cut_off")),
        ({"state": "FAILED", "error": "timeout after 600 seconds\n"}, ("failed", 2.0, "measured")),
        ({"state": "FAILED", "error": "a timeout after 600 seconds"}, ("failed", 2.0, "measured")),
        ({"state": "COMPLETED", "error": "timeout after 600 seconds"}, ("succeeded", 2.0, "measured")),
        ({"state": "CANCELLED"}, ("cancelled", 2.0, "measured")),
        ({"state": "CANCELLING"}, ("open", None, "open")),
        ({"state": "MOULTING"}, ("open", None, "open")),
        ({"state": None}, ("open", None, "open")),
        ({"state": "completed"}, ("open", None, "open")),
        ({"task_type": "BATCH_PREDICTION"}, ("succeeded", None, "polled")),
        ({"task_type": "BATCH_PREDICTION", "state": "RUNNING"}, ("open", None, "open")),
        ({"create_time": None, "last_update_time": START}, ("succeeded", None, "unreadable")),
        ({"last_update_time": None}, ("succeeded", None, "unreadable")),
        ({"create_time": 0, "last_update_time": START}, ("succeeded", None, "implausible")),
        ({"create_time": schema.EARLIEST_MS - 1, "last_update_time": START}, ("succeeded", None, "implausible")),
        ({"create_time": AS_OF + DAY, "last_update_time": AS_OF + DAY}, ("succeeded", 0.0, "measured")),
        ({"create_time": AS_OF + DAY + 1, "last_update_time": AS_OF}, ("succeeded", None, "implausible")),
        ({"last_update_time": AS_OF + DAY + 1}, ("succeeded", None, "implausible")),
    ],
)
def test_what_a_duration_is_and_why_there_is_none(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    (task,) = found({"create_time": START, **fields})
    assert tuple(task[name] for name in FIELDS) == expected


@pytest.mark.parametrize(
    ("fields", "overdue"),
    [
        ({"create_time": AS_OF - 660_000}, False),
        ({"create_time": AS_OF - 660_001}, True),
        ({"create_time": AS_OF - 660_001, "state": "COMPLETED"}, False),
        ({"create_time": AS_OF - 660_001, "state": "MOULTING"}, True),
        ({"create_time": AS_OF - HOUR - 90_000, "cluster": "west"}, False),
        ({"create_time": AS_OF - HOUR - 90_001, "cluster": "west"}, True),
        ({"create_time": AS_OF - 9 * DAY, "task_type": "AGENT_EXECUTION"}, False),
        ({"create_time": AS_OF - 9 * DAY, "task_type": "BATCH_PREDICTION"}, False),
        ({"create_time": AS_OF - 9 * DAY, "task_type": "SOMETHING_NEW"}, False),
        ({"create_time": AS_OF - 9 * DAY, "task_type": None}, False),
        ({"create_time": None}, False),
        ({"create_time": 0}, False),
        *(({"create_time": AS_OF - DAY, "task_type": name}, True) for name in schema.SWEPT),
    ],
)
def test_a_task_is_overdue_a_minute_after_its_own_clusters_timeout(fields: dict[str, Any], overdue: bool) -> None:
    (task,) = found({"state": "RUNNING", **fields})
    assert (task["status_code"] == duration_status.STATUS["overdue"]) is overdue
    if overdue:  # in flight until then, so that a closed window's numbers do not change later
        assert task["end_ms"] == task["created_ms"] + task["timeout_ms"]
    elif fields.get("state") != "COMPLETED":
        assert task["end_ms"] is not None


def test_a_task_of_a_cluster_without_a_reading_takes_the_first_one() -> None:
    east, west = generated.READINGS
    rows: list[dict[str, Any]] = [{"cluster": "north"}, {"cluster": None}, {"cluster": "west"}]
    for readings, expected in (((east, west), [600, 600, 30]), ((west, east), [30, 30, 30])):
        assert [task["timeout_ms"] // 1000 for task in found(*rows, readings=readings)] == expected


def test_a_cluster_that_was_read_twice_is_as_it_was_later() -> None:
    early, late = ClusterInfo(cluster="east", as_of_ms=AS_OF - DAY), ClusterInfo(cluster="east", as_of_ms=AS_OF)
    for readings in ((early, late), (late, early)):
        assert [task["as_of_ms"] for task in found({}, readings=readings)] == [AS_OF]


def test_rows_without_a_cluster_take_the_reading_without_one() -> None:
    readings = (generated.READINGS[1], ClusterInfo(as_of_ms=AS_OF - 7))
    assert [task["as_of_ms"] for task in found({"cluster": None}, {"cluster": "west"}, readings=readings)] == [
        *(AS_OF - 7, AS_OF - HOUR)
    ]


@given(generated.tasks())
@settings(max_examples=8)
def test_the_derived_columns_are_those_of_the_design_and_alike_in_every_engine(tasks: generated.Made) -> None:
    expected = [
        {
            "outcome": task.outcome,
            "duration_s": task.seconds,
            "duration_status": task.status,
            "reason": task.reason,
            "failed_nodes": list(task.blamed),
            "start_ms": task.start,
            "end_ms": task.end,
            "status_code": duration_status.STATUS["overdue" if task.overdue else task.status],
        }
        for task in oracle.selected(tasks, {})
    ]
    names = list(expected[0]) if expected else ["outcome"]
    in_arrow = table.with_derived(tasks.arrow, tasks.context).select(names).to_pylist()
    # what reports go by, or want, is worked out; what they do not is not
    by, wanted = ("reason", "worker_node", "outcome", "duration_status"), ["duration_s", "end_ms"]
    in_duck, in_pandas = (
        prepare.prepare(frame, by, {}, taken=(), wanted=wanted).frame.collect("pyarrow").to_native()
        for frame in (tasks.dataset(), tasks.pandas())
    )
    assert in_arrow == expected
    assert in_duck.select(names).to_pylist() == expected
    assert [{**row, "failed_nodes": row.get("failed_nodes")} for row in in_pandas.select(names).to_pylist()] == expected
