"""What of a task takes a JSON parser, on Spark: worked out here for the distinct texts, and joined to the tasks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from mltasks.engines.shared_results import compute_once
from mltasks.engines.spark_frame import from_arrow_table
from mltasks.engines.spark_sql import left_join
from mltasks.exceptions import UsageError
from mltasks.tasks import failure_reason, schema

TEXTS = 500_000  # distinct texts that are taken into memory at most
DEPLOYED = f"(task_type IN {schema.DEPLOYMENTS} AND startswith(error, '{{'))"
ANSWERED = "(error IS NULL AND response IS NOT NULL)"


def add_columns(tasks: Any, needed: Collection[str]) -> tuple[Any, dict[str, str]]:
    """Return the tasks with helper columns beside them, and as SQL the columns of JSON_COLUMNS that are needed."""
    names = [name for name in failure_reason.JSON_COLUMNS if name in needed]
    if not names:
        return tasks, {}
    deployed = tasks.selectExpr("*", f"CASE WHEN {DEPLOYED} THEN error END AS `text:error`")
    rows = left_join(deployed, compute_once(tasks, "errors", lambda: _of_errors(deployed)), ["text:error"])
    reason = "error"
    if "reason" in names:
        answered = rows.selectExpr("*", f"CASE WHEN {ANSWERED} THEN response END AS `text:response`")
        rows = left_join(answered, compute_once(tasks, "responses", lambda: _of_responses(answered)), ["text:response"])
        reason = "CASE WHEN `text:error` IS NOT NULL THEN `error:reason` ELSE coalesce(error, `response:reason`) END"
    failed = "coalesce(`error:nodes`, array())"
    planned = "coalesce(worker_node, array())"
    others = (
        f"CASE WHEN `text:error` IS NOT NULL THEN array_distinct(array_except({planned}, {failed})) "
        f"WHEN size(worker_node) > 1 THEN array_distinct(worker_node) ELSE {planned} END"
    )
    columns = {"reason": reason, "failed_nodes": failed, "other_nodes": others}
    return rows, {name: columns[name] for name in names}


def _of_errors(rows: Any) -> Any:
    """Return the reason and the nodes of each distinct error of a deployment."""
    texts = _distinct(rows, "text:error")
    types = pa.array([schema.DEPLOYMENTS[0]] * len(texts), pa.string())
    parsed = {
        "text:error": texts,
        "error:reason": failure_reason.reason(types, texts, pa.nulls(len(texts), pa.string())),
        "error:nodes": failure_reason.list_failed_nodes(types, texts),
    }
    return from_arrow_table(rows.sparkSession, pa.table(parsed))


def _of_responses(rows: Any) -> Any:
    """Return the error message in each distinct response."""
    texts = _distinct(rows, "text:response")
    missing = pa.nulls(len(texts), pa.string())
    parsed = {"text:response": texts, "response:reason": failure_reason.reason(missing, missing, texts)}
    return from_arrow_table(rows.sparkSession, pa.table(parsed))


def _distinct(rows: Any, name: str) -> pa.Array:
    texts = rows.selectExpr(f"`{name}`").filter(f"`{name}` IS NOT NULL").distinct().limit(TEXTS + 1).toArrow()[name]
    if len(texts) > TEXTS:
        raise UsageError(
            f"there are more than {TEXTS:,} different texts of {name.removeprefix('text:')}s, which this report takes "
            "into memory; choose less with since (--since) or function_name (--function-name)"
        )
    return pa.array(texts.to_pylist(), pa.string())
