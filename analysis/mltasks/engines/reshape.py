"""What one cell holds several of, laid out: one row per node, a column a field."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from mltasks.engines import operations
from mltasks.exceptions import UsageError
from mltasks.tasks import failure_reason, json_values, metadata, schema


def by_node(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return one row a task and node: the columns of `tasks`, worker_node being one node id, and three more.

    node_name: the node's name where it is known; node_failed: whether the task failed there (a deployment: if its
    error names the node, or if it failed and names none); node_error: what its error says of the node. A task
    without nodes has one row without a node. A count of these rows is one of (task, node) pairs, not of tasks.
    """
    names = (metadata.read_attrs(tasks.attrs) or metadata.Context(source="")).names()
    planned = tasks["worker_node"].str.split(",")
    named = tasks["failed_nodes"].str.split(",")
    both: list[list[str | None]] = [
        list(dict.fromkeys([*_list(there), *_list(failed)])) or [None]
        for there, failed in zip(planned, named, strict=True)
    ]
    rows = tasks.assign(worker_node=pd.Series(both, index=tasks.index, dtype=object)).explode("worker_node")
    rows["worker_node"] = rows["worker_node"].astype(operations.TEXT)
    rows["node_name"] = rows["worker_node"].map(names).astype(operations.TEXT)
    here = [
        node in _list(failed.split(",") if isinstance(failed, str) else None)
        for node, failed in zip(rows["worker_node"], rows["failed_nodes"], strict=True)
    ]
    rows["node_failed"] = pd.Series(here, index=rows.index) | (
        (rows["outcome"] == schema.FAILED) & rows["failed_nodes"].isna()
    )
    errors = [
        failure_reason.node_error(task_type, error if isinstance(error, str) else None, node)
        for task_type, error, node in zip(rows["task_type"], rows["error"], rows["worker_node"], strict=True)
    ]
    rows["node_error"] = pd.Series(errors, index=rows.index, dtype=operations.TEXT)
    return rows.reset_index(drop=True)


def parse_json(tasks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the objects of a JSON column (user, remote_job, response, extra) as columns, with the index of `tasks`.

    Fields of nested objects are joined by a dot. Raises UsageError where `column` holds no JSON.
    """
    known = [name for name, declared in schema.COLUMNS.items() if declared.kind == "json"]
    if column not in known or column not in tasks.columns:
        raise UsageError(f"parse_json: {column!r} is no column of JSON; there are {', '.join(known)}")
    objects = [_writable(json_values.parse_object(text if isinstance(text, str) else None)) for text in tasks[column]]
    found = pd.json_normalize(objects)
    found.index = tasks.index
    return found


def _writable(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose texts pandas can hold: half a character in them becomes U+FFFD."""
    text = json.dumps(fields, ensure_ascii=False)
    clean = json_values.SURROGATE.sub("\ufffd", text)
    return fields if clean == text else json_values.parse_object(clean)


def _list(value: object) -> list[str]:
    return value if isinstance(value, list) else []
