"""What follows from a task's stored columns: outcome, duration, reason, failed nodes.

One definition for every engine: narwhals expressions for what columns can express, and two functions on Arrow
arrays for what needs a JSON parser. Every reader computes them anew; a file's own copy is never trusted.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
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
TEXTS = {  # the derived columns that name which of some flags is set
    "outcome": schema.OUTCOMES,
    "duration_status": ("measured", "open", "cut_off", "polled", "clock_skew", "implausible", "unreadable"),
}
OUTCOMES = ("completed", "overdue", "unknown", *TEXTS["outcome"], "unreadable", "implausible")
FLAGS = tuple(dict.fromkeys([*OUTCOMES, *TEXTS["duration_status"]]))
Frame = TypeVar("Frame", nw.LazyFrame[Any], nw.DataFrame[Any])


def derive(frame: Frame, texts: Collection[str] = tuple(TEXTS), *, durations: bool = True) -> Frame:
    """Add outcome, duration_s [s] and duration_status, and what the reports compute with.

    `frame` has the stored columns and, as integers, `created_ms`, `updated_ms`, `as_of_ms` and `timeout_ms`.
    Added beside the derived columns: `start_ms` (create_time where it is plausible), `end_ms` (the end of the
    task's time in flight; null where nobody knows it) and FLAGS: each outcome and each duration_status, `completed`,
    `overdue` and `unknown` (the state), never null. `texts`: which of TEXTS are wanted; flags cost less. Without
    `durations` there are only the flags OUTCOMES.
    """
    frame = frame.with_columns(**_outcomes(), start_ms=plausible("created_ms"))
    frame = frame.with_columns(
        completed=nw.col(schema.SUCCEEDED) | nw.col(schema.PARTIAL),
        open=~_all_but_open(),  # an unknown state, too, is open until somebody knows better
    )
    frame = frame.with_columns(unknown=nw.col("open") & ~is_one_of("state", schema.states_of(schema.OPEN)))
    doubts = {name: doubt for name, doubt in _doubts().items() if durations or name in OUTCOMES}
    frame = frame.with_columns(overdue=_overdue(), **doubts)
    frame = frame.with_columns(
        **_first_doubt(doubts),
        end_ms=nw.when(~nw.col("open"))
        .then(nw.col("updated_ms"))
        .otherwise(nw.when(~nw.col("overdue")).then(nw.col("as_of_ms"))),
    )
    more = {name: named(name) for name in texts}
    if durations:
        more["duration_s"] = nw.when(nw.col("measured")).then((nw.col("updated_ms") - nw.col("created_ms")) / 1000)
    return frame.with_columns(**more) if more else frame


def named(text: str) -> nw.Expr:
    """Return one of TEXTS: the name of the flag that is set."""
    *names, last = TEXTS[text]
    expression: nw.Expr = nw.lit(last)
    for name in names:
        expression = nw.when(nw.col(name)).then(nw.lit(name)).otherwise(expression)
    return expression


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


def known_until() -> nw.Expr:
    """Return `as_of_ms`, or the time when a task was found gone: since then nobody knows more of it."""
    as_of, gone = nw.col("as_of_ms"), nw.col("gone_ms")
    return nw.when(gone < as_of).then(gone).otherwise(as_of)


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


def _outcomes() -> dict[str, nw.Expr]:
    return {name: is_one_of("state", schema.states_of(name)) for name in schema.OUTCOMES if name != schema.OPEN}


def _all_but_open() -> nw.Expr:
    return functools.reduce(operator.or_, (nw.col(name) for name in schema.OUTCOMES if name != schema.OPEN))


def _overdue() -> nw.Expr:
    age = nw.col("as_of_ms") - nw.col("start_ms")
    late = age > nw.col("timeout_ms") + schema.OVERDUE_GRACE_S * 1000
    return nw.col("open") & is_one_of("task_type", schema.SWEPT) & _surely(late)


def _doubts() -> dict[str, nw.Expr]:
    """Return what can be the matter with the duration of a task that has ended, in the order of weight."""
    created, updated, error = nw.col("created_ms"), nw.col("updated_ms"), nw.col("error")
    # for Python's `re`, but not for RE2, `$` is also before a line end
    cut_off = error.str.contains(CUT_OFF) & ~error.str.ends_with("\n")
    return {
        "unreadable": created.is_null() | updated.is_null(),
        "implausible": nw.col("start_ms").is_null() | _surely(updated > nw.col("as_of_ms") + schema.DAY_MS),
        "polled": is_one_of("task_type", schema.POLLED),
        "cut_off": nw.col("failed") & _surely(cut_off),
        "clock_skew": _surely(updated < created),
    }


def _first_doubt(doubts: Iterable[str]) -> dict[str, nw.Expr]:
    """Return the flags of which only the weightiest is set, or `measured`."""
    flags, clear = {}, ~nw.col("open")
    for name in doubts:
        flags[name] = clear & nw.col(name)
        clear = clear & ~nw.col(name)
    return flags | {"measured": clear}


def is_one_of(column: str, values: Iterable[str]) -> nw.Expr:
    """Tell which texts of a column are among some values; a missing one is not."""
    # comparisons one by one: of categories, pandas compares the codes
    return _surely(functools.reduce(operator.or_, (nw.col(column) == value for value in values)))


def _surely(condition: nw.Expr) -> nw.Expr:
    """Return a condition as false where nobody knows."""
    return condition.fill_null(value=False)


def reason(task_type: pa.Array, error: pa.Array, response: pa.Array) -> pa.Array:
    """Return the text to group failures by: `error`, else `response.error_message`, else null.

    A deployment's error is a JSON object node id -> message; its reason is the distinct messages, joined by '; '.
    """
    task_type, error, response = whole(task_type), whole(error), whole(response)
    deployed = _deployment_errors(task_type, error)
    answered = pc.and_(pc.is_null(error), pc.is_valid(response))
    out = _replace(error, deployed, lambda text: "; ".join(sorted(set(_node_errors(text).values()))) or text)
    return _replace(out, answered, _error_message, response)


def failed_nodes(task_type: pa.Array, error: pa.Array) -> pa.Array:
    """Return the node ids that a deployment's error names; an empty list where it names none."""
    task_type, error = whole(task_type), whole(error)
    texts = pc.if_else(_deployment_errors(task_type, error), error, None)
    return _of_each(texts, schema.ARROW["nodes"], lambda text: list(_node_errors(text)) if text else [])


def other_nodes(task_type: pa.Array, error: pa.Array, worker_node: pa.Array) -> pa.Array:
    """Return the worker nodes, each once, that a deployment's error does not name."""
    task_type, error, worker_node = whole(task_type), whole(error), whole(worker_node)
    deployed = _deployment_errors(task_type, error)
    several = pc.fill_null(pc.greater(pc.list_value_length(worker_node), 1), False)
    if not pc.any(pc.or_(deployed, several)).as_py():
        return worker_node
    # nodes and error as one text: a rollout that fails everywhere writes the same ones again and again
    texts = pc.binary_join_element_wise(
        pc.fill_null(pc.binary_join(worker_node, ","), ""), pc.fill_null(pc.if_else(deployed, error, None), ""), "\n"
    )
    return _of_each(texts, schema.ARROW["nodes"], _others)


def _others(text: str) -> list[str]:
    nodes, _, error = text.partition("\n")
    named = _node_errors(error) if error else {}
    return [node for node in dict.fromkeys(nodes.split(",") if nodes else ()) if node not in named]


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
    chosen = (out if texts is None else texts).filter(mask)
    return pc.replace_with_mask(out, mask, _of_each(chosen, pa.string(), convert)) if len(chosen) else out


def _of_each(texts: pa.Array, to: pa.DataType, convert: Callable[[Any], Any]) -> pa.Array:
    """Return what becomes of each text, null among them; of the same ones only once."""
    encoded = texts.dictionary_encode("encode")
    return pa.array([convert(text) for text in encoded.dictionary.to_pylist()], to).take(encoded.indices)


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
