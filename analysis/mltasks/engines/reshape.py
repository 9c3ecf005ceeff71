"""What one cell holds several of, laid out: one row per node, a column a field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import to_arrow
from mltasks.exceptions import UsageError
from mltasks.tasks import conform, deduplicate, failure_reason, json_values, node_lists, schema, table
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


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
    planned, ctx = _as_loaded(tasks)
    both: list[list[str | None]] = [
        list(dict.fromkeys([*node_lists.split_nodes(there), *node_lists.split_nodes(failed)])) or [None]
        for there, failed in zip(planned["worker_node"], planned["failed_nodes"], strict=True)
    ]
    rows = planned.assign(worker_node=pd.Series(both, index=planned.index, dtype=object)).explode("worker_node")
    rows["worker_node"] = rows["worker_node"].astype(operations.TEXT)
    rows["node_name"] = name_nodes(rows, ctx)
    here = [
        node in node_lists.split_nodes(failed)
        for node, failed in zip(rows["worker_node"], rows["failed_nodes"], strict=True)
    ]
    rows["node_failed"] = pd.Series(here, index=rows.index, dtype="bool") | (
        (rows["outcome"] == schema.FAILED) & rows["failed_nodes"].isna()
    )
    errors = [
        failure_reason.node_error(task_type, error if isinstance(error, str) else None, node)
        for task_type, error, node in zip(rows["task_type"], rows["error"], rows["worker_node"], strict=True)
    ]
    rows["node_error"] = pd.Series(errors, index=rows.index, dtype=operations.TEXT)
    return rows.reset_index(drop=True)


def name_nodes(rows: pd.DataFrame, ctx: Context) -> pd.Series[Any]:
    """Return the names of the nodes in the column worker_node, in rows with a column `cluster` those of the cluster."""
    names, of_cluster = ctx.names(), ctx.node_names()
    clusters = rows["cluster"] if "cluster" in rows else [None] * len(rows)
    labels = [of_cluster.get(pair, names.get(pair[1])) for pair in zip(clusters, rows["worker_node"], strict=True)]
    return pd.Series(labels, index=rows.index, dtype=operations.TEXT)


def _as_loaded(tasks: Any) -> tuple[pd.DataFrame, Context]:
    """Return any tasks as `load` gives them, each once."""
    if isinstance(tasks, pd.DataFrame):
        rows, before = conform.from_pandas(tasks, UnreadableCounts())
        rows = deduplicate.deduplicate(rows)
        ctx = table.assume_as_of(rows, before or Context(source="a DataFrame"))
        chosen = None
    else:
        opened = prepare.open_tasks(tasks)
        rows, ctx, chosen = to_arrow(opened), opened.context, opened.filters
    frame = table.to_pandas(table.select(rows, ctx, chosen), ctx)
    if isinstance(tasks, pd.DataFrame) and before is not None:
        frame.attrs = dict(tasks.attrs)
    return frame, ctx


def parse_json(tasks: Any, column: str) -> pd.DataFrame:
    """Return the objects in a column of JSON texts as columns.

    Parameters
    ----------
    tasks : DataFrame, Dataset or pyarrow.Table
        What `load` or `scan` returns, or any frame made of it.
    column : str
        user, remote_job, response or extra.

    Returns
    -------
    pandas.DataFrame
        A column per field, with the index of `tasks`; fields of nested objects are joined by a dot. Whole numbers
        stay whole.

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
    columns = [name for name, declared in schema.COLUMNS.items() if declared.kind == "json"]
    frame = tasks if isinstance(tasks, pd.DataFrame) else _to_pandas(tasks)
    if column not in columns or column not in frame.columns:
        raise UsageError(f"parse_json: {column!r} is no column of JSON; there are {', '.join(columns)}")
    objects = [dict(_flatten(_parse(cell))) for cell in frame[column]]
    names = dict.fromkeys(name for fields in objects for name in fields)
    parsed = {name: _to_series([fields.get(name) for fields in objects]) for name in names}
    return pd.DataFrame(parsed, index=pd.RangeIndex(len(objects))).set_axis(frame.index)


def _to_pandas(tasks: Any) -> pd.DataFrame:
    opened = prepare.open_tasks(tasks)
    return table.to_pandas(table.select(to_arrow(opened), opened.context, opened.filters), opened.context)


def _parse(cell: Any) -> dict[str, Any]:
    """Return the object in a cell: its JSON text, or what another reader has made of it."""
    fields = json_values.parse_object(cell) if isinstance(cell, str) else cell
    return _writable(fields) if isinstance(fields, dict) else {}


def _flatten(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an object and of those in it, however deep, in their order."""
    levels = [("", iter(fields.items()))]
    while levels:
        prefix, items = levels[-1]
        for name, value in items:
            if isinstance(value, dict):
                levels.append((f"{prefix}{name}.", iter(value.items())))
                break
            yield f"{prefix}{name}", value
        else:
            levels.pop()


def _to_series(values: list[Any]) -> pd.Series[Any]:
    """Return values as a column, whole numbers and flags as nullable ones; as objects where they are of any type."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(-json_values.INT64 <= value < json_values.INT64 for value in values if value is not None):
        return pd.Series(pd.array(values, pd.Int64Dtype()))
    if kinds == {bool}:
        return pd.Series(pd.array(values, pd.BooleanDtype()))
    if kinds == {str}:
        return pd.Series(values, dtype=operations.TEXT)
    exact = all(abs(value) <= 2**53 for value in values if isinstance(value, int))
    if kinds <= {int, float} and exact and kinds:
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype=object)


def _writable(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose texts pandas can hold: half a character in them becomes U+FFFD."""
    text = json.dumps(fields, ensure_ascii=False, default=str)
    clean = json_values.SURROGATE.sub("\ufffd", text)
    return fields if clean == text else json_values.parse_object(clean)
