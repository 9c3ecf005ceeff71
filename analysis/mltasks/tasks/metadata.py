"""What is known about a reading beside its rows; it travels with them as one JSON string."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from mltasks.tasks import schema

KEY = "mltasks"  # in DataFrame.attrs and in the metadata of a Parquet file


class Node(msgspec.Struct, frozen=True):
    """A node of a cluster as it was when the tasks were read."""

    name: str
    roles: tuple[str, ...] = ()
    started_ms: int | None = None  # start of its JVM [ms since 1970, UTC]; None: not read


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the model index as it was when the tasks were read; what was not read or not recorded is None.

    `serving` are the ids of the nodes that hold it in memory, () for none; the predict times [ms] are those of the
    slowest of these nodes.
    """

    name: str
    function_name: str | None = None
    state: str | None = None
    planned_nodes: int | None = None
    current_nodes: int | None = None
    planned_node_ids: tuple[str, ...] = ()
    redeploy_retries: int | None = None
    last_deployed_ms: int | None = None
    connector_id: str | None = None
    serving: tuple[str, ...] | None = None
    predict_p50_ms: float | None = None
    predict_p99_ms: float | None = None


class ClusterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What one cluster told beside its tasks.

    `as_of_ms` [ms since 1970, UTC] is the start of the walk: an open task is at least as_of - create_time old.
    """

    cluster: str | None = None
    as_of_ms: int | None = None
    as_of_assumed: bool = False
    as_of_task: str | None = None  # the task that alone set an assumed as_of, more than an hour after all others
    timeout_s: int = schema.DEFAULT_TIMEOUT_S
    timeout_assumed: bool = True
    nodes: dict[str, Node] | None = None  # None: not read; a node that is missing here has left the cluster
    former_nodes: dict[str, Node] = {}  # that an earlier reading has met and this one has not
    train_pool_size: dict[str, int] | None = None  # threads that train at once, by node id; None: not read
    models: dict[str, str] = {}  # names by model id, of all that any reading has met
    model_index: dict[str, Model] | None = None  # by model id; None: not read
    held_tasks: dict[str, tuple[str, ...]] | None = None  # task ids in memory, by node id; None: not read
    from_rows: bool = False  # only rows of a file name the cluster: nobody has asked it
    not_read: tuple[str, ...] = ()  # what the cluster or the user's role did not let be read, such as "node names"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a reading beside its rows; `fetch` returns it, and it travels in `DataFrame.attrs`.

    Attributes
    ----------
    source : str
        Where the tasks came from.
    readings : tuple of ClusterInfo
        What each cluster told: `as_of_ms`, nodes, models, time-out.
    filters : dict
        Which tasks were selected.
    complete : bool
        Whether every page was whole; False only where `Access.allow_partial` was given.
    rows : int or None
        The number of tasks, where each is there once.
    unreadable : dict of str to int
        How many values could not be read, by column.
    samples : dict of str to str
        One of these values by column.
    notes : tuple of str
        What a reader should know.
    """

    source: str
    readings: tuple[ClusterInfo, ...] = (ClusterInfo(),)
    filters: dict[str, Any] = {}
    complete: bool = True
    rows: int | None = None  # with this many rows, each (cluster, task_id) is there once
    unreadable: dict[str, int] = {}
    samples: dict[str, str] = {}
    notes: tuple[str, ...] = ()

    @property
    def as_of_ms(self) -> int | None:
        """The latest `as_of` of its clusters."""
        times = [reading.as_of_ms for reading in self.readings if reading.as_of_ms is not None]
        return max(times, default=None)

    def latest(self) -> dict[str | None, ClusterInfo]:
        """Return what each cluster told; one that was read twice is as it was at the later time."""
        latest: dict[str | None, ClusterInfo] = {}
        for each in self.readings or (ClusterInfo(),):
            before = latest.get(each.cluster)
            if before is None or (each.as_of_ms or 0) >= (before.as_of_ms or 0):
                latest[each.cluster] = each
        return latest

    def reading(self, cluster: str | None) -> ClusterInfo:
        """Return what a cluster told; of one that is not known, what that of no name, or the first, did."""
        latest = self.latest()
        return latest.get(cluster) or latest.get(None) or next(iter(latest.values()))

    def node_names(self) -> dict[tuple[str | None, str], str]:
        """Return (cluster, node id) -> node name: clusters that are copies of one have nodes of the same ids."""
        return {
            (reading.cluster, key): node.name
            for reading in self.readings
            for nodes in (reading.former_nodes, reading.nodes or {})
            for key, node in nodes.items()
        }

    def names(self) -> dict[str, str]:
        """Return node id -> node name, of all clusters; an id with several names has all of them, as in `a/b`."""
        names_by_id: dict[str, dict[str, None]] = {}
        for (_, key), name in self.node_names().items():
            names_by_id.setdefault(key, {})[name] = None
        return {key: "/".join(names) for key, names in names_by_id.items()}

    def has_shared_nodes(self) -> bool:
        """Tell whether a node id is one of several clusters."""
        ids = [key for _, key in self.node_names()]
        return len(ids) > len(set(ids))

    def models(self) -> dict[str, str]:
        """Return model id -> model name, of all clusters."""
        return {key: name for reading in self.readings for key, name in reading.models.items()}

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return msgspec.json.encode(self).decode()


def from_json(text: str | bytes) -> Context | None:
    """Return the Context in a text, or None where it holds something else (another tool's, a later version's)."""
    try:
        return msgspec.json.decode(text, type=Context)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def replace(ctx: Context, **changes: Any) -> Context:
    """Return a Context with some fields changed."""
    return msgspec.structs.replace(ctx, **changes)


def carry_forward(before: ClusterInfo, now: ClusterInfo) -> ClusterInfo:
    """Return what a cluster tells now, and of what was known before what it does not tell any more."""
    nodes = before.nodes if now.nodes is None else now.nodes
    met = before.former_nodes | (before.nodes or {})
    timeout = now if not now.timeout_assumed or before.timeout_assumed else before
    return msgspec.structs.replace(
        now,
        nodes=nodes,
        former_nodes={key: node for key, node in met.items() if key not in (nodes or {})},
        models=before.models | now.models,
        train_pool_size=before.train_pool_size if now.train_pool_size is None else now.train_pool_size,
        model_index=before.model_index if now.model_index is None else now.model_index,
        timeout_s=timeout.timeout_s,
        timeout_assumed=timeout.timeout_assumed,
    )


def with_as_of(ctx: Context, ms: int | None) -> Context:
    """Return a Context as if its clusters had been read at another time."""
    readings = (msgspec.structs.replace(r, as_of_ms=ms, as_of_assumed=False, as_of_task=None) for r in ctx.readings)
    return replace(ctx, readings=tuple(readings))


def read_attrs(attributes: Mapping[Any, Any]) -> Context | None:
    """Return the Context in `DataFrame.attrs`, or None."""
    text = attributes.get(KEY)
    return from_json(text) if isinstance(text, str) else None


def to_datetime(ms: int) -> datetime:
    """Return a time in ms since 1970 as an aware datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_iso(ms: int | None) -> str | None:
    """Return a time in ms since 1970 as ISO 8601 in UTC, to the millisecond; None stays None."""
    return None if ms is None else to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def merge(contexts: Sequence[Context]) -> Context:
    """Return what is known of several readings as one Context."""
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for ctx in contexts:
        counts.update(ctx.unreadable)
        samples = {**ctx.samples, **samples}
    return Context(
        source=", ".join(dict.fromkeys(ctx.source for ctx in contexts)),
        readings=tuple(reading for ctx in contexts for reading in ctx.readings),
        filters=contexts[-1].filters,
        complete=all(ctx.complete for ctx in contexts),
        unreadable=dict(counts),
        samples=samples,
        notes=tuple(dict.fromkeys(f"{ctx.source}: {note}" for ctx in contexts for note in ctx.notes)),
    )
