"""What one cell holds several of, laid out: one row per node, a column a field."""

from __future__ import annotations

import json
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.engines import dataset, operations
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.tasks import conform, failure_reason, json_values, metadata, schema, table
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

NODES = ("worker_node", "failed_nodes")


def by_node(tasks: Any) -> pd.DataFrame:
    """Return one row per task and node; a task without nodes has one row without a node.

    A count of these rows is one of (task, node) pairs, not of tasks.

    Parameters
    ----------
    tasks : DataFrame, Dataset or pyarrow.Table
        What `load` or `scan` returns, or any frame made of it.

    Returns
    -------
    pandas.DataFrame
        The columns of `tasks`, `worker_node` being one node's id, and three more:

        - node_name: the node's name where it is known
        - node_failed: whether the task failed there (a deployment: if its error names the node, or if it failed and
          names none)
        - node_error: what the task's error says of the node

    Raises
    ------
    DataError
        Where `tasks` is a table of something else.

    Examples
    --------
    >>> nodes = mltasks.by_node(mltasks.load("demo"))
    >>> nodes.groupby("node_name")["node_failed"].sum().to_dict()
    {'n1': 86, 'n2': 76, 'n3': 71}
    """
    tasks = _to_pandas(tasks)
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
    result: pd.DataFrame = rows.reset_index(drop=True)
    return result


def _to_pandas(tasks: Any) -> pd.DataFrame:
    """Return any frame of tasks as `load` gives it; one that is so already stays as it is."""
    if isinstance(tasks, pd.DataFrame):
        frame: pd.DataFrame = tasks
        return frame if _is_as_loaded(frame) else _select(*conform.from_pandas(frame, UnreadableCounts()))
    if isinstance(tasks, Dataset):
        rows = conform.conform(dataset.to_arrow(tasks), UnreadableCounts())
        return _select(rows, tasks.context, tasks.filters)
    others: Any = nw.from_native(tasks, pass_through=True)
    if not isinstance(others, nw.DataFrame | nw.LazyFrame):
        raise UsageError(f"by_node: not a {type(tasks).__name__}; give what mltasks.load or mltasks.scan returns")
    return _select(conform.conform(others.lazy().collect("pyarrow").to_native(), UnreadableCounts()))


def _is_as_loaded(frame: pd.DataFrame) -> bool:
    """Tell whether a frame has all columns, and its nodes as `load` gives them."""
    kinds = [pd.api.types.infer_dtype(frame[name], skipna=True) for name in NODES if name in frame]
    return {*schema.COLUMNS} <= {*frame.columns} and {*kinds} <= {"string", "empty"}


def _select(rows: pa.Table, ctx: Context | None = None, filters: Filters | None = None) -> pd.DataFrame:
    rows = table.deduplicate(rows)
    ctx = table.assume_as_of(rows, ctx or Context(source="a frame"))
    return table.to_pandas(table.select(rows, ctx, filters), ctx)


def parse_json(tasks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the objects in a column of JSON texts as columns.

    Parameters
    ----------
    tasks : DataFrame
        What `load` returns.
    column : str
        user, remote_job, response or extra.

    Returns
    -------
    pandas.DataFrame
        A column per field, with the index of `tasks`; fields of nested objects are joined by a dot.

    Raises
    ------
    UsageError
        Where `column` is not a column of JSON.

    Examples
    --------
    >>> agents = mltasks.load("demo", task_type="AGENT_EXECUTION")
    >>> mltasks.parse_json(agents, "response")["error_message"].notna().sum()
    np.int64(9)
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
