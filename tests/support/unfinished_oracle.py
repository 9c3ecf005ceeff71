"""What `unfinished` must say, found the slow way: loops over dicts, one task at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mltasks.tasks.metadata import ClusterInfo, Model, Node
from support import generated
from support.generated import AS_OF, HOUR, Made
from support.oracle import COMPLETED, SWEPT, Task, selected

ORDER = ["finished_unrecorded", "waiting", "lost", "running", "overdue", "suspect", "unbounded", "open"]
ONE_NODE = {"TRAINING", "REGISTER_MODEL", "UPLOAD_MODEL", "AGENT_EXECUTION"}


@st.composite
def tasks(draw: st.DrawFn) -> Made:
    """Return tasks of two clusters that told when their nodes started, what they hold, and which models there are."""
    made = draw(generated.tasks())
    rows = [row | {"model_id": draw(st.sampled_from(("m-1", "m-2", None, None)))} for row in made.rows]
    ids = [row["task_id"] for row in rows]
    starts = st.sampled_from((AS_OF - 2 * HOUR, AS_OF - HOUR + 5000, AS_OF - HOUR + 5001, AS_OF - 60_000, None))

    def reading(cluster: str, names: dict[str, str]) -> ClusterInfo:
        nodes = {key: Node(name, started_ms=draw(starts)) for key, name in names.items() if draw(st.integers(0, 3))}
        held = st.dictionaries(st.sampled_from([*names]), st.lists(st.sampled_from(ids or ["none"])).map(tuple))
        model = Model(
            name="m",
            state=draw(st.sampled_from(("DEPLOYED", "DEPLOYING", "PARTIALLY_DEPLOYED"))),
            last_deployed_ms=draw(st.sampled_from((None, AS_OF - 2 * HOUR, AS_OF - 1))),
        )
        return ClusterInfo(
            cluster=cluster,
            as_of_ms=AS_OF,
            timeout_s=600,
            timeout_assumed=False,
            nodes=draw(st.sampled_from((nodes, nodes, None))),
            not_read=draw(st.sampled_from(((), (), ("the node names",)))),
            held_tasks=draw(st.none() | held),
            model_index={"m-1": model},
        )

    readings = (reading("east", {"n-1": "alpha", "n-2": "beta"}), reading("west", {"w-9": "omega", "n-4": "delta"}))
    return replace(made, rows=rows, context=replace_readings(made, readings))


def replace_readings(made: Made, readings: tuple[ClusterInfo, ...]) -> Any:
    """Return the Context of some tasks with other readings."""
    return type(made.context)(source="here", readings=readings)


def unfinished(made: Made, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return verdict, age_s and longer_share of each open task by its id."""
    everything = selected(made, options)
    readings = {reading.cluster: reading for reading in made.context.readings}
    found = {}
    for task in everything:
        if task.outcome == "open":
            reading = readings.get(task.row["cluster"], made.context.readings[0])
            age = None if task.start is None else max(task.as_of - task.start, 0) / 1000
            kind = [other for other in everything if _kind(other) == _kind(task)]
            lasted = [o.seconds for o in kind if o.outcome in COMPLETED and o.seconds is not None]
            share = None
            if age is not None and lasted:
                share = (1 + sum(seconds >= age for seconds in lasted)) / (1 + len(lasted))
            verdict = _verdict(task, reading, age, lasted)
            found[task.row["task_id"]] = {"verdict": verdict, "age_s": age, "longer_share": share}
    return found


def _kind(task: Task) -> tuple[Any, Any]:
    return task.row["task_type"], task.row["function_name"]


def _verdict(task: Task, reading: ClusterInfo, age: float | None, lasted: list[float]) -> str:
    kind, row = task.row["task_type"], task.row
    held = any(row["task_id"] in ids for ids in (reading.held_tasks or {}).values())
    model = (reading.model_index or {}).get(row["model_id"])
    if row["model_id"] and kind in ("TRAINING", "REGISTER_MODEL", "UPLOAD_MODEL"):
        return "finished_unrecorded"
    if kind in ("DEPLOY_MODEL", "LOAD_MODEL") and model and not held and task.start is not None:
        ended = model.state in ("DEPLOYED", "PARTIALLY_DEPLOYED")
        if ended and model.last_deployed_ms is not None and model.last_deployed_ms >= task.start:
            return "finished_unrecorded"
    if kind == "BATCH_PREDICTION":
        return "waiting"
    if not held and _is_lost(task, reading):
        return "lost"
    if held:
        return "running"
    if task.overdue:
        assert kind in SWEPT
        return "overdue"
    if age is not None and age > 3600 and len(lasted) >= 100 and age > 10 * float(np.percentile(lasted, 99)):
        return "suspect"
    return "unbounded" if kind == "AGENT_EXECUTION" else "open"


def _is_lost(task: Task, reading: ClusterInfo) -> bool:
    kind, start = task.row["task_type"], task.start
    if start is None:
        return False
    is_current = reading.nodes is not None and "the node names" not in reading.not_read
    nodes = reading.nodes or {}
    if kind in ONE_NODE:
        there = [nodes.get(node) for node in task.row["worker_node"]]
        return bool(there) and all(
            (is_current and start <= task.as_of)
            if node is None
            else node.started_ms is not None and node.started_ms > start + 5000
            for node in there
        )
    if kind in ("DEPLOY_MODEL", "LOAD_MODEL", "BATCH_INGEST") and is_current and nodes:
        return all(node.started_ms is not None and node.started_ms > start + 5000 for node in nodes.values())
    return False
