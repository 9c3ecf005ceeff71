"""What a cluster tells beside its tasks: nodes, their training pools, models, and what the nodes hold now.

Five requests, each optional and none of them repeated. What the user may not read, or the cluster does not have, is
None and named in `ClusterInfo.not_read`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mltasks.opensearch.client import Cluster
from mltasks.tasks.metadata import ClusterInfo, Model, Node

NODES = "/_nodes/_all/jvm?filter_path=nodes.*.name,nodes.*.roles,nodes.*.jvm.start_time_in_millis"
TRAIN_POOL = (
    "/_cat/thread_pool/opensearch_ml_train?format=json&h=node_id,node_name,size,active,queue,queue_size,rejected"
)
PROFILE = "/_plugins/_ml/profile"
MODELS = "/_plugins/_ml/models/_search"
MOST_MODELS = 10_000  # hits of one answer, at most
MODELS_QUERY: dict[str, Any] = {
    "size": MOST_MODELS,
    "track_total_hits": True,
    "query": {"bool": {"must_not": [{"exists": {"field": "chunk_number"}}]}},  # a local model is stored in chunks, too
    "_source": [
        "name",
        "algorithm",
        "model_state",
        "planning_worker_node_count",
        "current_worker_node_count",
        "planning_worker_nodes",
        "auto_redeploy_retry_times",
        "last_deployed_time",
        "connector_id",
    ],
}


@dataclass(frozen=True)
class TrainPool:
    """The threads of a node that train, and what waits for them; None where the cluster does not say."""

    node_id: str
    node_name: str
    size: int | None
    active: int | None
    queue: int | None
    queue_size: int | None
    rejected: int | None  # since the node's start


def read_cluster_info(cluster: Cluster, as_of_ms: int) -> ClusterInfo:
    """Return what a cluster tells beside its tasks, as far as the user may ask."""
    timeout = cluster.task_timeout()
    nodes, pools, models = read_nodes(cluster), read_train_pools(cluster), _read_models(cluster)
    profile = cluster.get_or_none(PROFILE)
    held = None if profile is None else _by_node(profile, "tasks")
    if models is not None and profile is not None:
        models = _with_profile(models, _by_node(profile, "models"))
    parts = {
        "the task time-out": timeout,
        "the node names": nodes,
        "the training pools": pools,
        "the models": models,
        "what the nodes hold": held,
    }
    return ClusterInfo(
        cluster=cluster.name,
        as_of_ms=as_of_ms,
        timeout_s=ClusterInfo().timeout_s if timeout is None else timeout,
        timeout_assumed=timeout is None,
        nodes=nodes,
        train_pool_size=None if pools is None else {p.node_id: p.size for p in pools if p.size is not None},
        models={model_id: model.name for model_id, model in (models or {}).items()},
        model_index=models,
        held_tasks=None if held is None else {node: tuple(tasks) for node, tasks in held.items() if tasks},
        not_read=tuple(name for name, part in parts.items() if part is None),
    )


def read_nodes(cluster: Cluster) -> dict[str, Node] | None:
    """Return the nodes by id; None where the user may not ask, or the cluster cannot answer now."""
    answer = cluster.get_or_none(NODES)
    if not isinstance(answer, dict) or not isinstance(answer.get("nodes"), dict):
        return None
    return {node_id: _node(node_id, node) for node_id, node in answer["nodes"].items() if isinstance(node, dict)}


def _node(node_id: str, node: dict[str, Any]) -> Node:
    jvm, roles = node.get("jvm"), node.get("roles")
    started = jvm.get("start_time_in_millis") if isinstance(jvm, dict) else None
    return Node(
        str(node.get("name", node_id)), tuple(map(str, roles)) if isinstance(roles, list) else (), _integer(started)
    )


def read_train_pools(cluster: Cluster) -> list[TrainPool] | None:
    """Return the pool of each node in which models are trained; None where the user may not ask."""
    answer = cluster.get_or_none(TRAIN_POOL)
    if not isinstance(answer, list):
        return None
    rows = [row for row in answer if isinstance(row, dict) and isinstance(row.get("node_id"), str)]
    names = ("size", "active", "queue", "queue_size", "rejected")
    return [
        TrainPool(row["node_id"], str(row.get("node_name", "")), *(_integer(row.get(name)) for name in names))
        for row in rows
    ]


def _read_models(cluster: Cluster) -> dict[str, Model] | None:
    answer = cluster.search_or_none(MODELS, MODELS_QUERY)
    hits = answer.get("hits") if isinstance(answer, dict) else None
    if not isinstance(hits, dict) or not isinstance(hits.get("hits"), list):
        return None
    pairs = ((hit.get("_id"), hit.get("_source")) for hit in hits["hits"] if isinstance(hit, dict))
    return {str(model_id): _model(model_id, source) for model_id, source in pairs if isinstance(source, dict)}


def _model(model_id: Any, source: Mapping[str, Any]) -> Model:
    nodes = source.get("planning_worker_nodes")
    return Model(
        name=_text(source.get("name")) or str(model_id),
        function_name=_text(source.get("algorithm")),
        state=_text(source.get("model_state")),
        planned_nodes=_integer(source.get("planning_worker_node_count")),
        current_nodes=_integer(source.get("current_worker_node_count")),
        planned_node_ids=tuple(map(str, nodes)) if isinstance(nodes, list) else (),
        redeploy_retries=_integer(source.get("auto_redeploy_retry_times")),
        last_deployed_ms=_integer(source.get("last_deployed_time")),
        connector_id=_text(source.get("connector_id")),
    )


def _by_node(profile: Any, name: str) -> dict[str, dict[str, Any]]:
    """Return what a profile says of the tasks, or models, of each node; an idle cluster says nothing at all."""
    nodes = profile.get("nodes") if isinstance(profile, dict) else None
    parts = ((node_id, node.get(name)) for node_id, node in (nodes or {}).items() if isinstance(node, dict))
    return {node_id: part for node_id, part in parts if isinstance(part, dict)}


def _with_profile(models: dict[str, Model], held: dict[str, dict[str, Any]]) -> dict[str, Model]:
    return {
        model_id: msgspec.structs.replace(model, **_read_serving(model_id, held)) for model_id, model in models.items()
    }


def _read_serving(model_id: str, held: dict[str, dict[str, Any]]) -> dict[str, Any]:
    serving = {node: models[model_id] for node, models in held.items() if isinstance(models.get(model_id), dict)}
    times = [stats for model in serving.values() if isinstance(stats := model.get("predict_request_stats"), dict)]
    return {
        "serving": tuple(sorted(node for node, model in serving.items() if model.get("model_state") == "DEPLOYED")),
        "predict_p50_ms": max(_numbers(times, "p50"), default=None),
        "predict_p99_ms": max(_numbers(times, "p99"), default=None),
    }


def _numbers(parts: Sequence[Mapping[str, Any]], name: str) -> Iterator[float]:
    values = (part.get(name) for part in parts)
    return (float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    """Return a whole number, or one written as text, as `_cat` does."""
    text = str(value)
    return int(text) if not isinstance(value, bool) and text.isascii() and text.isdecimal() and len(text) < 19 else None
