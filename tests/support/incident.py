"""Write `notebooks/incident.parquet`, on which two notebooks run: python -m support.incident.

The labelled tasks (see `labelled`) on a cluster of three nodes with names; node-c was killed and started again in the
evening of 20 November, and four tasks were lost with it.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

import mltasks
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Node
from support import labelled

PATH = Path(__file__).parents[2] / "notebooks" / "incident.parquet"
CLUSTER = "ml-prod"
ROLES = ("cluster_manager", "data", "ingest", "ml")
NODES = {"a": "2026-10-30T07:12:40", "b": "2026-10-30T07:13:05", "c": "2026-11-20T22:41:07"}  # and when each started
LOST = (  # on node-c, less than three minutes before it was killed
    ("2026-11-20T22:38:12", "TRAINING", "FIT_RCF"),
    ("2026-11-20T22:39:05", "TRAINING", "FIT_RCF"),
    ("2026-11-20T22:39:48", "TRAINING", "KMEANS"),
    ("2026-11-20T22:40:31", "AGENT_EXECUTION", "AGENT"),
)


def load() -> pd.DataFrame:
    """Return the tasks with what was read beside them."""
    lines = gzip.decompress(labelled.PATH.read_bytes()).decode().splitlines()
    hits = [json.dumps(_hit(number, *task)) for number, task in enumerate(LOST)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hits.ndjson"
        path.write_text("\n".join([*lines, *hits, ""]), encoding="utf-8")
        tasks = mltasks.load(path)
    nodes = {_node_id(name): Node(f"node-{name}", ROLES, _ms(at)) for name, at in NODES.items()}
    reading = ClusterInfo(cluster=CLUSTER, as_of_ms=_ms("2026-11-21T00:00:00"), timeout_assumed=False, nodes=nodes)
    tasks["cluster"] = pd.Series(CLUSTER, index=tasks.index, dtype=tasks["cluster"].dtype)
    tasks.attrs = {metadata.KEY: Context(source=CLUSTER, readings=(reading,)).to_json()}
    return tasks


def _hit(number: int, created: str, task_type: str, function_name: str) -> dict[str, Any]:
    source = {
        "create_time": _ms(created),
        "last_update_time": _ms(created) + 41 + number,
        "state": "RUNNING",
        "task_type": task_type,
        "function_name": function_name,
        "worker_node": [_node_id("c")],
        "is_async": True,
    }
    return {"_id": f"K{number:019}", "_seq_no": 10_000 + number, "_primary_term": 1, "_version": 2, "_source": source}


def _node_id(name: str) -> str:
    return f"Node{name.upper() * 18}"


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


if __name__ == "__main__":
    mltasks.write_parquet(load(), PATH, force=True)
