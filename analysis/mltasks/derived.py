"""What follows from a task's stored columns: outcome, duration, reason, failed nodes.

One definition for every engine: narwhals expressions for what columns can express, and two functions on Arrow
arrays for what needs a JSON parser. Every reader computes them anew; a file's own copy is never trusted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import schema
from mltasks.cells import SURROGATE, parsed
from mltasks.context import Context, Reading

CUT_OFF = r"^timeout after [0-9]+ seconds$"
Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


def derive(frame: Frame) -> Frame:
    """Add outcome, duration_s [s] and duration_status, and what the reports compute with.

    `frame` has the stored columns and, as integers, `created_ms`, `updated_ms`, `as_of_ms` and `timeout_ms`.
    Added beside the derived columns: `start_ms` (create_time where it is plausible), `end_ms` (the end of the
    task's time in flight; null where nobody knows it) and the flag `overdue`.
    """
    frame = frame.with_columns(outcome=_outcome(), start_ms=plausible("created_ms"))
    frame = frame.with_columns(overdue=_overdue(), duration_status=_duration_status())
    is_open = nw.col("outcome") == schema.OPEN
    return frame.with_columns(
        end_ms=nw.when(~is_open)
        .then(nw.col("updated_ms"))
        .otherwise(nw.when(~nw.col("overdue")).then(nw.col("as_of_ms"))),
        duration_s=nw.when(nw.col("duration_status") == "measured").then(
            (nw.col("updated_ms") - nw.col("created_ms")) / 1000
        ),
    )


def clock(ctx: Context) -> dict[str, nw.Expr]:
    """Return `as_of_ms` and `timeout_ms` as expressions: those of the row's cluster, where there are several.

    A cluster that was read twice is as it was at the later time. Where no time is known, as_of_ms is 0: no time is
    plausible then.
    """
    latest: dict[str | None, Reading] = {}
    for reading in ctx.readings or (Reading(),):
        before = latest.get(reading.cluster)
        if before is None or (reading.as_of_ms or 0) >= (before.as_of_ms or 0):
            latest[reading.cluster] = reading
    return {
        "as_of_ms": _of_cluster({cluster: reading.as_of_ms or 0 for cluster, reading in latest.items()}),
        "timeout_ms": _of_cluster({cluster: reading.timeout_s * 1000 for cluster, reading in latest.items()}),
    }


def plausible(column: str) -> nw.Expr:
    """Return a time [ms] where it can be one of a task: not before OpenSearch, no more than a day after as_of."""
    time = nw.col(column)
    return nw.when((time >= schema.EARLIEST_MS) & (time <= nw.col("as_of_ms") + schema.DAY_MS)).then(time)


def _of_cluster(values: Mapping[str | None, int]) -> nw.Expr:
    others = values[None] if None in values else next(iter(values.values()))
    expression: nw.Expr = nw.lit(others, dtype=nw.Int64)
    for cluster, value in values.items():
        if cluster is not None and value != others:
            own = nw.lit(value, dtype=nw.Int64)
            expression = nw.when(nw.col("cluster") == cluster).then(own).otherwise(expression)
    return expression


def _outcome() -> nw.Expr:
    outcome: nw.Expr = nw.lit(schema.OPEN)  # an unknown state, too, is open until somebody knows better
    for name in (schema.SUCCEEDED, schema.PARTIAL, schema.FAILED, schema.CANCELLED):
        outcome = nw.when(nw.col("state").is_in(schema.states_of(name))).then(nw.lit(name)).otherwise(outcome)
    return outcome


def _overdue() -> nw.Expr:
    age = nw.col("as_of_ms") - nw.col("start_ms")
    late = age > nw.col("timeout_ms") + schema.OVERDUE_GRACE_S * 1000
    swept = nw.col("task_type").is_in(schema.SWEPT)
    # a null age is not overdue: nobody knows
    return (
        nw.when((nw.col("outcome") == schema.OPEN) & swept & late)
        .then(nw.lit(value=True))
        .otherwise(nw.lit(value=False))
    )


def _duration_status() -> nw.Expr:
    created, updated = nw.col("created_ms"), nw.col("updated_ms")
    doubtful = nw.col("start_ms").is_null() | (updated > nw.col("as_of_ms") + schema.DAY_MS)
    # for Python's `re`, but not for RE2, `$` is also before a line end
    cut_off = nw.col("error").str.contains(CUT_OFF) & ~nw.col("error").str.ends_with("\n")
    status: nw.Expr = nw.lit("measured")
    for name, condition in (  # the later ones win
        ("clock_skew", updated < created),
        ("cut_off", (nw.col("outcome") == schema.FAILED) & cut_off),
        ("polled", nw.col("task_type").is_in(schema.POLLED)),
        ("implausible", doubtful),
        ("unreadable", created.is_null() | updated.is_null()),
        ("open", nw.col("outcome") == schema.OPEN),
    ):
        status = nw.when(condition).then(nw.lit(name)).otherwise(status)
    return status


def reason(task_type: pa.Array, error: pa.Array, response: pa.Array) -> pa.Array:
    """Return the text to group failures by: `error`, else `response.error_message`, else null.

    A deployment's error is a JSON object node id -> message; its reason is the distinct messages, joined by '; '.
    """
    task_type, error, response = whole(task_type), whole(error), whole(response)
    deployed = _deployment_errors(task_type, error)
    telling = pc.match_substring_regex(response, r"error_message|\\u")  # a name in JSON may be written in escapes
    answered = pc.fill_null(pc.and_(pc.is_null(error), telling), False)
    out = _replace(error, deployed, lambda text: "; ".join(sorted(set(_node_errors(text).values()))) or text)
    return _replace(out, answered, _error_message, response)


def failed_nodes(task_type: pa.Array, error: pa.Array) -> pa.Array:
    """Return the node ids that a deployment's error names; an empty list where it names none."""
    task_type, error = whole(task_type), whole(error)
    mask = _deployment_errors(task_type, error)
    texts = pc.if_else(mask, error, None).dictionary_encode()  # a rollout that fails everywhere: one text
    named = pa.array([*(list(_node_errors(text)) for text in texts.dictionary.to_pylist()), []], schema.ARROW["nodes"])
    return named.take(pc.fill_null(texts.indices, len(named) - 1))


def other_nodes(task_type: pa.Array, error: pa.Array, worker_node: pa.Array) -> pa.Array:
    """Return the worker nodes, each once, that a deployment's error does not name."""
    task_type, error, worker_node = whole(task_type), whole(error), whole(worker_node)
    deployed = _deployment_errors(task_type, error)
    several = pc.fill_null(pc.greater(pc.list_value_length(worker_node), 1), False)
    rows = pc.indices_nonzero(pc.or_(deployed, several)).to_pylist()
    if not rows:
        return worker_node
    lists = worker_node.to_pylist()
    for row, text in zip(rows, pc.if_else(deployed, error, None).take(rows).to_pylist(), strict=True):
        named = _node_errors(text) if text else {}
        lists[row] = [node for node in dict.fromkeys(lists[row] or ()) if node not in named]
    return pa.array(lists, schema.ARROW["nodes"])


@dataclass(frozen=True)
class Parsed:
    """A column that takes a JSON parser: a function on Arrow arrays, the columns it takes, the kind it gives."""

    function: Callable[..., pa.Array]
    takes: tuple[str, ...]
    gives: schema.Kind


PARSED = {
    "reason": Parsed(reason, ("task_type", "error", "response"), "text"),
    "failed_nodes": Parsed(failed_nodes, ("task_type", "error"), "nodes"),
    "other_nodes": Parsed(other_nodes, ("task_type", "error", "worker_node"), "nodes"),
}


def node_error(task_type: str | None, error: str | None, node: str) -> str | None:
    """Return what a deployment's error says of one node, or null."""
    if task_type not in schema.DEPLOYMENTS or not error:
        return None
    return _node_errors(error).get(node)


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array: DuckDB and tables hand out chunked ones."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _deployment_errors(task_type: pa.Array, error: pa.Array) -> pa.Array:
    deployments = pc.is_in(task_type, value_set=pa.array(schema.DEPLOYMENTS, pa.string()))
    return pc.fill_null(pc.and_(deployments, pc.starts_with(error, "{")), False)


def _replace(
    out: pa.Array, mask: pa.Array, convert: Callable[[str], str | None], texts: pa.Array | None = None
) -> pa.Array:
    chosen = (out if texts is None else texts).filter(mask).to_pylist()
    if not chosen:
        return out
    made = {text: convert(text) for text in set(chosen)}  # many tasks fail of one cause
    return pc.replace_with_mask(out, mask, pa.array([made[text] for text in chosen], pa.string()))


@lru_cache(maxsize=4096)  # a rollout that fails everywhere writes the same text again and again
def _node_errors(text: str) -> dict[str, str]:
    return {
        SURROGATE.sub("\ufffd", node): SURROGATE.sub("\ufffd", message)
        if isinstance(message, str)
        else json.dumps(message)
        for node, message in parsed(text).items()
    }


def _error_message(text: str) -> str | None:
    message = parsed(text).get("error_message")
    return SURROGATE.sub("\ufffd", message) if isinstance(message, str) and message else None
