"""About sixty real tasks, of every kind and end that one node can make, and the quiet after them."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from live.made_up import TASKS
from live.make_tasks import (
    ALGORITHMS,
    BAD_TRAININGS,
    ML,
    bad_registers,
    deploy,
    register_local,
    register_remote,
    run_agent,
    train,
    train_sample,
    write_model,
)
from live.prepare import Prepared, prepare
from live.server import Server

BURST = 8  # trainings at once; one runs, ten wait, and what comes then is refused
SETTLED_WITHIN = 240.0
# Open tasks, less those at a provider, which nobody here ends, and old ones, which were lost with their node.
WORK = {
    "bool": {
        "filter": [
            {"terms": {"state": ["CREATED", "RUNNING"]}},
            {"range": {"create_time": {"gte": "now-15m"}}},
        ],
        "must_not": [{"term": {"task_type": "BATCH_PREDICTION"}}],
    }
}


def make_all(server: Server) -> dict[str, int]:
    """Make the tasks and wait for their ends; the number of each type and state: {"TRAINING FAILED": 9}."""
    prepared = prepare(server)
    ids = _trainings(server)
    # in the folder of a server that we started, which can surely read there
    with tempfile.TemporaryDirectory(prefix="models-", dir=server.folder) as folder:
        ids += _models(server, prepared, write_model(Path(folder)), trained=ids)
    if not server.version.startswith("2."):
        ids += [run_agent(server, agent) for agent in [prepared.lister] * 4 + [prepared.asker] * 3]
        settle(server)
    return dict(Counter(f"{task['task_type']} {task['state']}" for task in _tasks(server, ids).values()))


def settle(server: Server) -> None:
    """Return once the server is at work on no task; TimeoutError after 240 s, naming the open ones."""
    question = {"query": WORK, "size": 100, "_source": ["task_type", "state"]}
    deadline = time.monotonic() + SETTLED_WITHIN
    while time.monotonic() < deadline:
        server.ask("POST", f"/{TASKS}/_refresh")
        still_open = server.ask("POST", f"{ML}/tasks/_search", question)["hits"]["hits"]
        if not still_open:
            return
        threading.Event().wait(0.1)
    raise TimeoutError(f"still open after {SETTLED_WITHIN:.0f} s: {still_open}")


def _trainings(server: Server) -> list[str]:
    """Three of each algorithm, three samples, and the bad ones, in bursts so that some wait for others."""
    requests: list[Callable[[], str]] = []
    requests += [partial(train, server, kind) for kind in [*ALGORITHMS] * 3]
    requests += [partial(train_sample, server)] * 3
    requests += [partial(train, server, kind, **change) for kind, change in BAD_TRAININGS]
    ids: list[str] = []
    for first in range(0, len(requests), BURST):
        ids += [request() for request in requests[first : first + BURST]]
        settle(server)
    return ids


def _models(server: Server, prepared: Prepared, model: Path, trained: list[str]) -> list[str]:
    """Registrations and deployments that succeed and that fail."""
    local = [register_local(server, model) for _ in range(4)]
    remote = [register_remote(server, prepared.connector) for _ in range(4)]
    failed = bad_registers(server, model)
    settle(server)
    models = [task.get("model_id") for task in _tasks(server, [*local[:2], *remote, *trained[:2]]).values()]
    deployed = [deploy(server, model_id) for model_id in models if model_id]
    settle(server)
    return [*local, *remote, *failed, *deployed]


def _tasks(server: Server, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The documents of some tasks by their ids."""
    question = {"query": {"terms": {"_id": ids}}, "size": len(ids)}
    hits = server.ask("POST", f"{ML}/tasks/_search", question)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits}
