"""What of a task takes a JSON parser, on Spark: worked out here for the distinct texts, and joined to the tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

from mltasks.engines.shared_results import compute_once
from mltasks.engines.spark_frame import from_arrow_table
from mltasks.exceptions import UsageError
from mltasks.tasks import failure_reason, schema

TEXTS = 500_000  # distinct texts that are taken into memory at most
DEPLOYED = f"(task_type IN {schema.DEPLOYMENTS} AND startswith(error, '{{'))"
# no other response has an error message, unless its letters are escaped
MAY_SAY_WHY = "(contains(response, 'error_message') OR contains(response, concat(char(92), 'u')))"
PARSED = {  # a text -> where it is parsed
    "error": f"CASE WHEN {DEPLOYED} THEN error END",
    "response": f"CASE WHEN error IS NULL AND {MAY_SAY_WHY} THEN response END",
}


def add_columns(tasks: Any, needed: Collection[str]) -> tuple[Any, dict[str, str]]:
    """Return the tasks with helper columns beside them, and as SQL the columns of JSON_COLUMNS that are needed."""
    names = [name for name in failure_reason.JSON_COLUMNS if name in needed]
    if not names:
        return tasks, {}
    texts = [*PARSED] if "reason" in names else ["error"]
    rows = tasks.selectExpr("*", *(f"{PARSED[name]} AS `text:{name}`" for name in texts))
    parsed = compute_once(tasks, ("parsed", *texts), lambda: _parse(_read_distinct(rows, texts), tasks.sparkSession))
    for name, table in parsed.items():
        rows = _join_text(rows, table, f"text:{name}")
    reason, failed, others = "error", "CAST(array() AS array<string>)", "coalesce(worker_node, array())"
    is_parsed = "false"
    if "error" in parsed:
        is_parsed = "`text:error` IS NOT NULL"
        reason = f"CASE WHEN {is_parsed} THEN `error:reason` ELSE error END"
        failed = "coalesce(`error:nodes`, array())"
    if "response" in parsed:  # of a response only where there is no error
        reason = f"coalesce({reason}, `response:reason`)"
    others = (
        f"CASE WHEN {is_parsed} THEN array_distinct(array_except({others}, {failed})) "
        f"WHEN size(worker_node) > 1 THEN array_distinct(worker_node) ELSE {others} END"
    )
    columns = {"reason": reason, "failed_nodes": failed, "other_nodes": others}
    return rows, {name: columns[name] for name in names}


def _join_text(rows: Any, table: Any, name: str) -> Any:
    """Return the tasks with what a table says of a text beside them; most have none."""
    from pyspark.sql import functions

    others = table.withColumnRenamed(name, f"other:{name}")
    same = functions.expr(f"`{name}` = `other:{name}`")
    return rows.join(others.hint("broadcast"), same, "left").drop(f"other:{name}")


def _parse(texts: Mapping[str, pa.Array], session: Any) -> dict[str, Any]:
    """Return what each distinct text says, for those columns that have one."""
    parsed: dict[str, Any] = {}
    if errors := texts["error"]:
        types = pa.array([schema.DEPLOYMENTS[0]] * len(errors), pa.string())
        parsed["error"] = {
            "text:error": errors,
            "error:reason": failure_reason.reason(types, errors, pa.nulls(len(errors), pa.string())),
            "error:nodes": failure_reason.list_failed_nodes(types, errors),
        }
    if responses := texts.get("response"):
        missing = pa.nulls(len(responses), pa.string())
        reasons = failure_reason.reason(missing, missing, responses)
        parsed["response"] = {"text:response": responses, "response:reason": reasons}
    return {name: from_arrow_table(session, pa.table(columns)) for name, columns in parsed.items()}


def _read_distinct(rows: Any, names: Collection[str]) -> dict[str, pa.Array]:
    """Return the distinct texts of some columns, of which a task has one at most, in one pass over the tasks."""
    columns = [f"text:{name}" for name in names]
    texts = rows.select(*(f"`{column}`" for column in columns)).distinct().limit(len(columns) * (TEXTS + 1) + 1)
    table = texts.toArrow()
    distinct = {name: table[column].drop_null() for name, column in zip(names, columns, strict=True)}
    for name, values in distinct.items():
        if len(values) > TEXTS:
            raise UsageError(
                f"there are more than {TEXTS:,} different texts of {name}s, which this report takes into memory; "
                "choose less with since (--since) or function_name (--function-name)"
            )
    return {name: pa.array(values.to_pylist(), pa.string()) for name, values in distinct.items()}
