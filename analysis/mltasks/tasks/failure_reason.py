"""Why tasks failed, and on which nodes: what of a task takes a JSON parser, as functions on Arrow arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import arrow_schema, schema
from mltasks.tasks.arrow import combine_chunks, map_distinct
from mltasks.tasks.json_values import SURROGATE, parse_object
from mltasks.tasks.node_lists import split_nodes


def reason(task_type: pa.Array, error: pa.Array, response: pa.Array) -> pa.Array:
    """Return the text to group failures by: `error`, else `response.error_message`, else null.

    A deployment's error is a JSON object node id -> message; its reason is the distinct messages, joined by '; '.
    """
    task_type, error, response = combine_chunks(task_type), combine_chunks(error), combine_chunks(response)
    deployed = _deployment_errors(task_type, error)
    answered = pc.and_(pc.is_null(error), pc.is_valid(response))
    out = _replace(error, deployed, lambda text: "; ".join(sorted(set(_node_errors(text).values()))) or text)
    return _replace(out, answered, _error_message, response)


def list_failed_nodes(task_type: pa.Array, error: pa.Array) -> pa.Array:
    """Return the node ids that a deployment's error names; an empty list where it names none."""
    task_type, error = combine_chunks(task_type), combine_chunks(error)
    texts = pc.if_else(_deployment_errors(task_type, error), error, None)
    return map_distinct(texts, arrow_schema.ARROW["nodes"], lambda text: list(_node_errors(text)) if text else [])


def other_nodes(task_type: pa.Array, error: pa.Array, worker_node: pa.Array) -> pa.Array:
    """Return the worker nodes, each once, that a deployment's error does not name."""
    task_type, error, worker_node = combine_chunks(task_type), combine_chunks(error), combine_chunks(worker_node)
    deployed = _deployment_errors(task_type, error)
    several = pc.fill_null(pc.greater(pc.list_value_length(worker_node), 1), False)
    if not pc.any(pc.or_(deployed, several)).as_py():
        return worker_node
    # nodes and error as one text: a rollout that fails everywhere writes the same ones again and again
    texts = pc.binary_join_element_wise(
        pc.fill_null(pc.binary_join(worker_node, ","), ""), pc.fill_null(pc.if_else(deployed, error, None), ""), "\n"
    )
    return map_distinct(texts, arrow_schema.ARROW["nodes"], _others)


def _others(text: str) -> list[str]:
    nodes, _, error = text.partition("\n")
    named = _node_errors(error) if error else {}
    return [node for node in dict.fromkeys(split_nodes(nodes)) if node not in named]


@dataclass(frozen=True)
class JsonColumn:
    """A column that takes a JSON parser: a function on Arrow arrays, the columns it takes, the kind it gives."""

    function: Callable[..., pa.Array]
    takes: tuple[str, ...]
    gives: schema.Kind


JSON_COLUMNS = {
    "reason": JsonColumn(reason, ("task_type", "error", "response"), "text"),
    "failed_nodes": JsonColumn(list_failed_nodes, ("task_type", "error"), "nodes"),
    "other_nodes": JsonColumn(other_nodes, ("task_type", "error", "worker_node"), "nodes"),
}


def node_errors(task_type: str | None, error: str) -> dict[str, str]:
    """Return what a deployment's error says of each node; nothing for other errors."""
    return dict(_node_errors(error)) if task_type in schema.DEPLOYMENTS and error.startswith("{") else {}


def node_error(task_type: str | None, error: str | None, node: str) -> str | None:
    """Return what a deployment's error says of one node, or null."""
    if task_type not in schema.DEPLOYMENTS or not error:
        return None
    return _node_errors(error).get(node)


def _deployment_errors(task_type: pa.Array, error: pa.Array) -> pa.Array:
    deployments = pc.is_in(task_type, value_set=pa.array(schema.DEPLOYMENTS, pa.string()))
    return pc.fill_null(pc.and_(deployments, pc.starts_with(error, "{")), False)


def _replace(
    out: pa.Array, mask: pa.Array, convert: Callable[[str], str | None], texts: pa.Array | None = None
) -> pa.Array:
    chosen = (out if texts is None else texts).filter(mask)
    return pc.replace_with_mask(out, mask, map_distinct(chosen, pa.string(), convert)) if len(chosen) else out


@lru_cache(maxsize=4096)  # a rollout that fails everywhere writes the same text again and again
def _node_errors(text: str) -> dict[str, str]:
    return {
        SURROGATE.sub("\ufffd", node): SURROGATE.sub("\ufffd", message)
        if isinstance(message, str)
        else json.dumps(message)
        for node, message in parse_object(text).items()
    }


def _error_message(text: str) -> str | None:
    message = parse_object(text).get("error_message")
    return SURROGATE.sub("\ufffd", message) if isinstance(message, str) and message else None
