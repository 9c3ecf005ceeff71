"""The reason of tasks whose error or response is JSON, on DuckDB: worked out once for each text, and joined."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines.duckdb_sql import ANSWERED, DEPLOYED, ENCODED, REASON, Relation, quote_name
from mltasks.engines.shared_results import compute_once
from mltasks.tasks import failure_reason, schema

TEXT, IS_ERROR = "json:text", "json:is_error"
CHOICE = f"CASE WHEN {DEPLOYED} THEN error WHEN {ANSWERED} THEN response END"
MARKED = f'*, coalesce({DEPLOYED}, false) AS "{IS_ERROR}", {CHOICE} AS "{TEXT}"'


def add_reasons(tasks: Relation, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Return the tasks with their reason; as they are where there are too many different texts to take into memory.

    A function in Python that DuckDB calls takes longer for a few texts of each of many batches than all else.
    """
    reasons = compute_once(tasks, REASON, lambda: _read_reasons(tasks))
    if reasons is None:
        return tasks
    same = f'task_rows."{TEXT}" = texts."{TEXT}" AND task_rows."{IS_ERROR}" = texts."{IS_ERROR}"'
    others = connection.from_arrow(reasons).set_alias("texts")
    joined = tasks.project(MARKED).set_alias("task_rows").join(others, same, "left")
    columns = ", ".join(f"task_rows.{quote_name(name)}" for name in tasks.columns)
    reason = f'CASE WHEN task_rows."{TEXT}" IS NULL THEN error ELSE texts."{REASON}" END'
    return joined.project(f'{columns}, {reason} AS "{REASON}"')


def _read_reasons(tasks: Relation) -> pa.Table | None:
    """Return the reason of each different text; None where there are more than ENCODED."""
    names = f'"{TEXT}", "{IS_ERROR}"'
    texts = tasks.filter(f"({DEPLOYED}) OR ({ANSWERED})").project(MARKED).aggregate(names, names)
    rows = texts.limit(ENCODED + 1).to_arrow_table()
    if rows.num_rows > ENCODED:
        return None
    text, is_error = (rows[name].combine_chunks() for name in rows.column_names)
    missing = pa.scalar(None, pa.string())
    types = pc.if_else(is_error, schema.DEPLOYMENTS[0], missing)
    errors, answers = (pc.if_else(flags, text, missing) for flags in (is_error, pc.invert(is_error)))
    return rows.append_column(REASON, failure_reason.reason(types, errors, answers))
