from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from mltasks.tasks import arrow_schema, failure_reason, schema, table
from support.generated import made

DEPLOY = {"task_type": "DEPLOY_MODEL", "state": "FAILED", "worker_node": ["n-1", "n-2"]}


def found(fields: dict[str, Any]) -> dict[str, Any]:
    tasks = made(fields)
    (derived_too,) = table.with_derived(tasks.arrow, tasks.context).to_pylist()
    return dict(derived_too)


@pytest.mark.parametrize(
    ("fields", "reason", "failed_nodes"),
    [
        ({}, None, []),
        ({"error": "oom"}, "oom", []),
        ({"error": "oom", "response": '{"error_message":"other"}'}, "oom", []),
        ({"response": '{"error_message":"no such model"}'}, "no such model", []),
        ({"response": '{"error_message":""}'}, None, []),
        ({"response": '{"error_message":7}'}, None, []),
        ({"response": '{"answer":42}'}, None, []),
        ({"response": "no JSON"}, None, []),
        ({"error": '{"n-1":"oom"}'}, '{"n-1":"oom"}', []),
        ({**DEPLOY, "error": '{"n-1":"oom"}'}, "oom", ["n-1"]),
        ({**DEPLOY, "task_type": "LOAD_MODEL", "error": '{"n-1":"oom"}'}, "oom", ["n-1"]),
        ({**DEPLOY, "error": '{"n-2":"oom","n-1":"oom","n-7":"lost"}'}, "lost; oom", ["n-2", "n-1", "n-7"]),
        ({**DEPLOY, "error": '{"n-1":{"status":400}}'}, '{"status": 400}', ["n-1"]),
        ({**DEPLOY, "error": '{"n-1":"half \\ud800"}'}, "half \ufffd", ["n-1"]),
        ({**DEPLOY, "error": "{}"}, "{}", []),
        ({**DEPLOY, "error": "{broken"}, "{broken", []),
        ({**DEPLOY, "error": "no JSON"}, "no JSON", []),
    ],
)
def test_the_reason_of_a_task_and_the_nodes_that_its_error_names(
    fields: dict[str, Any], reason: str | None, failed_nodes: list[str]
) -> None:
    task = found(fields)
    assert (task["reason"], task["failed_nodes"]) == (reason, failed_nodes)


@pytest.mark.parametrize(
    ("fields", "others"),
    [
        ({"worker_node": []}, []),
        ({"worker_node": ["n-1", "n-2", "n-1"]}, ["n-1", "n-2"]),
        ({"worker_node": ["n-1"], "error": '{"n-1":"oom"}'}, ["n-1"]),
        ({**DEPLOY, "error": '{"n-1":"oom"}'}, ["n-2"]),
        ({**DEPLOY, "error": '{"n-1":"oom","n-2":"oom"}'}, []),
        ({**DEPLOY, "error": '{"n-7":"oom"}'}, ["n-1", "n-2"]),
        ({**DEPLOY, "error": "oom"}, ["n-1", "n-2"]),
    ],
)
def test_the_other_nodes_are_each_there_once_and_not_blamed(fields: dict[str, Any], others: list[str]) -> None:
    rows = made({}, fields, {}).arrow
    lists = failure_reason.other_nodes(*(rows[name] for name in ("task_type", "error", "worker_node")))
    assert lists.to_pylist() == [["n-1"], others, ["n-1"]]


@pytest.mark.parametrize(
    ("task_type", "error", "said"),
    [
        ("DEPLOY_MODEL", '{"n-1":"oom"}', "oom"),
        ("DEPLOY_MODEL", '{"n-2":"oom"}', None),
        ("DEPLOY_MODEL", None, None),
        ("TRAINING", '{"n-1":"oom"}', None),
        (None, '{"n-1":"oom"}', None),
    ],
)
def test_what_an_error_says_of_one_node(task_type: str | None, error: str | None, said: str | None) -> None:
    assert failure_reason.node_error(task_type, error, "n-1") == said


def test_parsed_columns_of_no_rows_are_empty_and_typed() -> None:
    for name, parsed in failure_reason.JSON_COLUMNS.items():
        empty = parsed.function(*(pa.array([], schema.COLUMNS[column].type) for column in parsed.takes))
        assert (len(empty), empty.type) == (0, arrow_schema.ARROW[parsed.gives]), name


def test_an_error_of_many_nodes_is_read_whole() -> None:
    error = json.dumps({f"n-{number}": "oom" for number in range(1000)})
    task = found({**DEPLOY, "error": error})
    assert (len(task["failed_nodes"]), task["reason"]) == (1000, "oom")
