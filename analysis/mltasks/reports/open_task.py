"""What is to be thought of an open task: a verdict, the evidence for it in a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mltasks.tasks import schema
from mltasks.tasks.metadata import ClusterInfo, Node, to_datetime

STARTED_AFTER_MS = 5000  # by which a node must have started after a task, so that clocks are no reason
SUSPECT_TIMES, SUSPECT_S = 10, 3600  # the p99 of its kind, and the least age
ON_ONE_NODE = ("TRAINING", *schema.REGISTRATIONS, "AGENT_EXECUTION")  # which alone can end them
COORDINATED = (*schema.DEPLOYMENTS, "BATCH_INGEST")  # ended by a node that their record does not name
MODEL_AT_END = ("TRAINING", *schema.REGISTRATIONS)  # have a model_id only when they have succeeded
DEPLOYED = ("DEPLOYED", "PARTIALLY_DEPLOYED")  # states of a model whose deployment has ended
UNBOUNDED = ("AGENT_EXECUTION",)
REMEDIES: Mapping[str, str] = {
    "finished_unrecorded": "nothing: what it makes is there, only its record is wrong",
    "waiting": "mltasks get SOURCE ID --refresh asks the provider",
    "lost": "start the task again: no node works on it any more, so that nothing will end it",
    "running": "wait",
    "overdue": "look at the log of its node; its result may still come, else start the task again",
    "suspect": "look at the log of its node",
    "unbounded": "look at the log of its node, where it is older than others: no time-out ends it",
    "open": "wait",
}
DELETABLE = "DELETE /_plugins/_ml/tasks/ID removes its record"
KEPT = "its record stays: the server deletes none that is RUNNING"


class OpenTask(NamedTuple):
    """An open task; times in ms since 1970, UTC, None where they are missing or cannot be."""

    task_id: str | None
    task_type: str | None
    function_name: str | None
    state: str | None
    model_id: str | None
    nodes: tuple[str, ...]
    start_ms: int | None
    updated_ms: int | None
    as_of_ms: int
    is_overdue: bool
    completed: int = 0  # tasks of its kind that completed, of which `longer` took as long or longer
    longer: int = 0
    p99_s: float | None = None  # of these
    ahead: int = 0  # trainings on its node that were created before and are open
    shown_ms: int | None = None  # the latest as_of of all clusters, which the report shows

    @property
    def age_s(self) -> float | None:
        """The time since its creation [s]."""
        return None if self.start_ms is None else max(self.as_of_ms - self.start_ms, 0) / 1000


class Judgement(NamedTuple):
    """A verdict on an open task, why, and what to do."""

    verdict: str
    evidence: str
    remedy: str


def judge(task: OpenTask, cluster: ClusterInfo) -> Judgement:
    """Return the first verdict that holds, in the order of `declarations.unfinished.VERDICTS`."""
    for verdict, find_evidence in EVIDENCE.items():
        if evidence := find_evidence(task, cluster):
            return Judgement(verdict, evidence, _remedy(verdict, task))
    return Judgement("open", _open(task), _remedy("open", task))


def _remedy(verdict: str, task: OpenTask) -> str:
    text = REMEDIES[verdict]
    if verdict not in ("finished_unrecorded", "lost"):
        return text
    return f"{text}; {KEPT if task.state == schema.KEPT else DELETABLE}"


def are_nodes_current(cluster: ClusterInfo) -> bool:
    """Tell whether the nodes are those of this reading, and not what an earlier one has met."""
    return cluster.nodes is not None and "the node names" not in cluster.not_read


def holder(task: OpenTask, cluster: ClusterInfo) -> str | None:
    """Return the node that holds a task in memory; None where none does, or nobody asked."""
    held = cluster.held_tasks or {}
    return next((node for node, tasks in held.items() if task.task_id in tasks), None)


def _prove_unrecorded(task: OpenTask, cluster: ClusterInfo) -> str | None:
    if task.model_id is None:
        return None
    if task.task_type in MODEL_AT_END:
        return f"its record names model {task.model_id}, as only one that has succeeded does"
    model = (cluster.model_index or {}).get(task.model_id)
    if task.task_type not in schema.DEPLOYMENTS or model is None or model.last_deployed_ms is None:
        return None
    if model.state not in DEPLOYED or task.start_ms is None or model.last_deployed_ms < task.start_ms:
        return None
    if holder(task, cluster) is not None:
        return None
    deployed, created = _times(task, model.last_deployed_ms, task.start_ms)
    return f"model {model.state} since {deployed}, task created {created}"


def _prove_waiting(task: OpenTask, cluster: ClusterInfo) -> str | None:
    if task.task_type not in schema.POLLED:
        return None
    if task.start_ms is None or task.updated_ms is None or task.updated_ms < task.start_ms:
        return "its provider runs it"
    created, updated = _times(task, task.start_ms, task.updated_ms)
    if task.updated_ms - task.start_ms < STARTED_AFTER_MS:
        return f"created {created}, its provider was not asked since"
    return f"created {created}, its provider was last asked {updated}"


def _prove_lost(task: OpenTask, cluster: ClusterInfo) -> str | None:
    if task.start_ms is None or holder(task, cluster) is not None:
        return None
    if task.task_type in ON_ONE_NODE and task.nodes:
        evidence = [_end_of(node, task, task.start_ms, cluster) for node in task.nodes]
        return evidence[0] if all(evidence) else None
    if task.task_type not in COORDINATED or not cluster.nodes or not are_nodes_current(cluster):
        return None
    starts = [node.started_ms for node in cluster.nodes.values()]
    first = min((ms for ms in starts if ms is not None), default=None)
    if None in starts or first is None or first <= task.start_ms + STARTED_AFTER_MS:
        return None
    started, created = _times(task, first, task.start_ms)
    return f"all nodes started since {started}, task created {created}"


def _end_of(node_id: str, task: OpenTask, start_ms: int, cluster: ClusterInfo) -> str | None:
    """Return why a node cannot hold a task that was created at `start_ms`, or None where it may."""
    node = (cluster.nodes or {}).get(node_id)
    if node is None:
        if not are_nodes_current(cluster) or start_ms > task.as_of_ms:
            return None
        read, created = _times(task, task.as_of_ms, start_ms)
        name = cluster.former_nodes.get(node_id, Node(node_id)).name
        return f"{name} not in the cluster {read}, task created {created}"
    if node.started_ms is None or node.started_ms <= start_ms + STARTED_AFTER_MS:
        return None
    started, created = _times(task, node.started_ms, start_ms)
    return f"{node.name} started {started}, task created {created}"


def _prove_running(task: OpenTask, cluster: ClusterInfo) -> str | None:
    node_id = holder(task, cluster)
    if node_id is None:
        return None
    name = (cluster.nodes or {}).get(node_id, Node(node_id)).name
    (read,) = _times(task, task.as_of_ms)
    threads = (cluster.train_pool_size or {}).get(node_id)
    if task.task_type == "TRAINING" and threads is not None and task.ahead >= threads:
        return f"{name} held it {read}, {task.ahead:,} created before it are open, {threads} at once can train"
    return f"{name} held it {read}"


def _prove_overdue(task: OpenTask, cluster: ClusterInfo) -> str | None:
    if not task.is_overdue or task.start_ms is None:
        return None
    created, ended = _times(task, task.start_ms, task.start_ms + cluster.timeout_s * 1000)
    assumed = "an assumed" if cluster.timeout_assumed else "the"
    return f"created {created}, {assumed} time-out of {cluster.timeout_s} s was over {ended}"


def _prove_suspect(task: OpenTask, cluster: ClusterInfo) -> str | None:
    age, p99 = task.age_s, task.p99_s
    if age is None or p99 is None or age <= SUSPECT_S or age <= SUSPECT_TIMES * p99:
        return None
    return f"{_open(task)}, 99 % of them within {p99:.1f} s"


def _prove_unbounded(task: OpenTask, cluster: ClusterInfo) -> str | None:
    return f"{_open(task)}, no time-out ends it" if task.task_type in UNBOUNDED else None


def _open(task: OpenTask) -> str:
    if task.start_ms is None:
        return "its create_time is missing or implausible"
    (created,) = _times(task, task.start_ms)
    if not task.completed:
        return f"created {created}"
    if not task.longer:
        all_of = "the one" if task.completed == 1 else f"all {task.completed:,}"
        return f"created {created}, longer than {all_of} that completed"
    return f"created {created}, {task.longer:,} of {task.completed:,} that completed took as long"


def _times(task: OpenTask, *moments: int) -> list[str]:
    """Return times in UTC, all with their dates where one of them is not of the day that the report shows."""
    times = [to_datetime(ms) for ms in moments]
    is_today = {time.date() for time in times} == {to_datetime(task.shown_ms or task.as_of_ms).date()}
    return [f"{time:%H:%M:%S}" if is_today else f"{time:%Y-%m-%d %H:%M:%S}" for time in times]


EVIDENCE: Mapping[str, Callable[[OpenTask, ClusterInfo], str | None]] = {
    "finished_unrecorded": _prove_unrecorded,
    "waiting": _prove_waiting,
    "lost": _prove_lost,
    "running": _prove_running,
    "overdue": _prove_overdue,
    "suspect": _prove_suspect,
    "unbounded": _prove_unbounded,
}
