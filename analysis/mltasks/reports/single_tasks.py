"""Single tasks that a page names: the slowest, and the failures that were created last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.tasks import derived, duration_status, outcomes, schema
from mltasks.tasks.node_lists import split_nodes

COLUMNS = ("task_id", "task_type", "function_name", "node_name", "create_time", "duration_s", "reason")
TEXTS = ("task_id", "task_type", "function_name", "nodes_text", "reason")
WANTED = ("status_code", "task_id", "reason", "error")
MOST = 10


def list_single_tasks(tasks: Any, as_of: Any, options: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return `slowest`, the measured tasks that took longest, and `latest_failures`, those created last; ten each."""
    prepared = prepare.prepare(tasks, [], dict(options), as_of=as_of, taken=(), wanted=WANTED)
    is_measured = duration_status.has_status("measured")
    frame = operations.when_then(prepared.frame, "seconds", is_measured, derived.seconds())
    completed = frame.filter(outcomes.has_outcome(*schema.COMPLETED) & is_measured)
    failed = frame.filter(outcomes.has_outcome(schema.FAILED) & ~nw.col("start_ms").is_null())
    names = prepared.context.names()
    return {
        "slowest": _read_greatest(completed, "seconds", names),
        "latest_failures": _read_greatest(failed, "start_ms", names),
    }


def _read_greatest(frame: nw.LazyFrame[Any], column: str, names: Mapping[str, str]) -> pd.DataFrame:
    texts = [nw.col(name).cast(nw.String) for name in TEXTS]
    frame = frame.select(*texts, "start_ms", "seconds").sort(column, "task_id", descending=[True, False]).head(MOST)
    rows = operations.to_pandas(frame, dict.fromkeys(TEXTS, operations.TEXT))
    rows = rows.sort_values([column, "task_id"], ascending=[False, True], ignore_index=True)
    rows["create_time"] = pd.to_datetime(rows["start_ms"], unit="ms", utc=True).dt.as_unit("ms")
    nodes = rows["nodes_text"].map(lambda text: _name(text, names)).astype(operations.TEXT)
    return rows.assign(node_name=nodes, duration_s=rows["seconds"].astype("float64"))[list(COLUMNS)]


def _name(nodes: Any, names: Mapping[str, str]) -> str | None:
    return ", ".join(names.get(node, node) for node in split_nodes(nodes)) or None
