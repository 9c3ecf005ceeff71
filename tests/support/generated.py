"""Made-up tables of tasks: every state and type, and all that real ones have wrong with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from mltasks.engines import duckdb
from mltasks.engines.dataset import Dataset
from mltasks.tasks import arrow_schema, schema, table
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.metadata import ClusterInfo, Context, Node

AS_OF = 1_741_312_800_000  # 2025-03-07 02:00 UTC
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
NODES = {"n-1": "alpha", "n-2": "beta", "n-3": "gamma"}
READINGS = (
    ClusterInfo(
        cluster="east",
        as_of_ms=AS_OF,
        timeout_s=600,
        timeout_assumed=False,
        nodes={node: Node(name) for node, name in NODES.items()},
    ),
    ClusterInfo(
        cluster="west", as_of_ms=AS_OF - HOUR, timeout_s=30, timeout_assumed=False, nodes={"w-9": Node("omega")}
    ),
)
OWN = pa.schema([("team", pa.string()), ("shard", pa.int64()), ("urgent", pa.bool_()), ("weight", pa.float64())])
STORED = pa.unify_schemas([arrow_schema.STORED_SCHEMA, OWN])
STATES = (
    *("COMPLETED", "COMPLETED", "COMPLETED_WITH_ERROR", "FAILED", "FAILED", "EXPIRED", "UNREACHABLE", "CANCELLED"),
    *("CREATED", "RUNNING", "CANCELLING", "MOULTING"),
)
TYPES = (
    *("TRAINING", "REGISTER_MODEL", "UPLOAD_MODEL", "DEPLOY_MODEL", "DEPLOY_MODEL", "LOAD_MODEL", "BATCH_INGEST"),
    *("BATCH_PREDICTION", "AGENT_EXECUTION", "PREDICTION", "SOMETHING_NEW"),
)
ERRORS = (
    "timeout after 600 seconds",
    "timeout after 600 seconds\n",
    "a timeout after 600 seconds",
    "out of memory",
    "{",
    "{}",
    json.dumps({"n-1": "out of memory"}),
    json.dumps({"n-2": "no such file", "n-3": "out of memory"}),
    json.dumps({"n-7": {"status": 400}}),
    "[1]",
)
RESPONSES = ('{"error_message":"no such model"}', '{"error_message":""}', '{"answer":42}', "none")
AGES = (0, 1, 29_999, 90_000, 90_001, 660_000, 660_001, HOUR, 3 * HOUR, 5 * DAY, -1, -HOUR, -DAY, -DAY - 1)
LASTED = (0, 1, 999, 15_000, 600_000, HOUR, -1, -5000, 3 * DAY)
ODD_TIMES = (0, schema.EARLIEST_MS - 1, AS_OF + 30 * DAY, 253_402_300_799_999)


@dataclass(frozen=True)
class Made:
    """A table of tasks as dicts, and the Context of the reading."""

    rows: list[dict[str, Any]]
    context: Context

    @cached_property
    def arrow(self) -> pa.Table:
        """The stored columns and the user's own."""
        return pa.Table.from_pylist(self.rows, STORED)

    def pandas(self) -> pd.DataFrame:
        """Return the frame that `load` gives for them."""
        return table.to_pandas(table.select(self.arrow, self.context), self.context)

    def dataset(self) -> Dataset:
        """Return the Dataset that `scan` gives for them."""
        return Dataset(duckdb.relation(self.arrow), self.context)


def made(*rows: dict[str, Any], readings: tuple[ClusterInfo, ...] = READINGS) -> Made:
    """Return tasks made of a few given fields each; the rest is that of a training that took 2 s."""
    return Made(
        [task(number, **fields) for number, fields in enumerate(rows)], Context(source="here", readings=readings)
    )


def task(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a task as a dict of the stored columns."""
    usual = {
        "cluster": "east",
        "task_id": f"task-{number}",
        "task_type": "TRAINING",
        "function_name": "KMEANS",
        "state": "COMPLETED",
        "worker_node": ["n-1"],
        "create_time": AS_OF - HOUR,
        "last_update_time": AS_OF - HOUR + 2000,
        "is_async": True,
        "seq_no": number,
    }
    if "create_time" in fields and "last_update_time" not in fields:
        usual["last_update_time"] = fields["create_time"] and fields["create_time"] + 2000
    return dict.fromkeys(STORED.names) | usual | fields


def life(start: int, end: int, **fields: Any) -> dict[str, Any]:
    """Return the times of a task that lived from so many to so many ms before AS_OF, and other fields."""
    return {"create_time": AS_OF - start, "last_update_time": AS_OF - end, **fields}


def or_null(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Return one of some values, now and then null."""
    return st.sampled_from((*values, *values, None))


@st.composite
def times(draw: st.DrawFn) -> dict[str, int | None]:
    """Return a creation and a last update, most of them close together, some of them nonsense or missing."""
    created = AS_OF - draw(st.sampled_from(AGES) | st.integers(0, 100) | st.integers(0, 5 * HOUR))
    updated = created + draw(st.sampled_from(LASTED) | st.integers(0, 50) | st.integers(0, 2 * HOUR))
    if draw(st.integers(0, 9)):
        return {"create_time": created, "last_update_time": updated}
    return {
        "create_time": draw(st.just(created) | or_null(ODD_TIMES)),
        "last_update_time": draw(st.just(updated) | or_null(ODD_TIMES)),
    }


@st.composite
def tasks(draw: st.DrawFn, max_size: int = 14) -> Made:
    """Return a table of tasks of two clusters."""
    rows = [
        task(
            number,
            cluster=draw(st.sampled_from(("east", "east", "west", "north", None))),
            state=draw(or_null(STATES)),
            task_type=draw(or_null(TYPES)),
            function_name=draw(or_null(("KMEANS", "REMOTE", "AGENT"))),
            worker_node=draw(st.lists(st.sampled_from(("n-1", "n-2", "n-4")), max_size=3)),
            error=draw(st.none() | st.sampled_from(ERRORS)),
            response=draw(st.none() | st.sampled_from(RESPONSES)),
            is_async=draw(st.sampled_from((True, False, None))),
            seq_no=draw(or_null((7, 2**53 + 1, 2**53 + 2))),
            team=draw(or_null(("red", "blue", ""))),
            shard=draw(or_null((1, 2**53 + 1, 2**53 + 2))),
            urgent=draw(or_null((True, False))),
            weight=draw(or_null((0.5, -1.0))),
            **draw(times()),
        )
        for number in range(draw(st.integers(0, max_size)))
    ]
    return Made(rows, Context(source="here", readings=draw(st.sampled_from((READINGS, READINGS[::-1], READINGS[:1])))))


KEYS = (
    *("cluster", "task_type", "function_name", "state", "outcome", "reason", "duration_status", "is_async", "seq_no"),
    *("duration_s", "worker_node", "worker_node", "team", "shard", "urgent", "weight"),
)


@st.composite
def options(draw: st.DrawFn, *, periods: tuple[str, ...], window: Window = "created") -> dict[str, Any]:
    """Return arguments that every report takes."""
    found: dict[str, Any] = {"by": draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))}
    if every := draw(st.none() | st.sampled_from(periods)):
        found |= {"every": every, "tz": draw(st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kathmandu")))}
    if draw(st.booleans()):
        since = AS_OF - draw(st.sampled_from(AGES) | st.integers(0, 2 * HOUR))
        found |= {"since": since, "until": since + draw(st.sampled_from((1, MINUTE, HOUR, 2 * DAY)))}
        found.pop(
            draw(st.sampled_from(("since", "neither") if window == "in_flight" else ("since", "until", "neither"))),
            None,
        )
    words = {
        "task_type": ("training", "Deploy_Model"),
        "cluster": ("EAST",),
        "node": ("ALPHA", "n-2"),
    }
    if name := draw(st.none() | st.sampled_from(tuple(words))):
        found[name] = draw(st.sampled_from(words[name]))
    if draw(st.integers(0, 5)) == 0:
        found["as_of"] = AS_OF + draw(st.sampled_from((0, HOUR, 10 * DAY)))
    return found
