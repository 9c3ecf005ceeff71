"""Documents as the index holds them, and the shortest way from one to its row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from mltasks.opensearch.decode import Decoder

CREATED = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
TRAINING = {
    "state": "COMPLETED",
    "task_type": "TRAINING",
    "function_name": "KMEANS",
    "input_type": "SEARCH_QUERY",
    "worker_node": ["node-1"],
    "model_id": "model-1",
    "create_time": CREATED,
    "last_update_time": CREATED + 2000,
    "is_async": True,
}


class Row(NamedTuple):
    """A decoded document: its cells, what is in `extra`, and how many values of each column were unreadable."""

    cells: dict[str, Any]
    extra: dict[str, Any]
    counts: dict[str, int]


def hit(task_id: Any = "task-1", seq_no: Any = 7, **fields: Any) -> dict[str, Any]:
    """Return a hit of `_search`: a completed training, some fields changed."""
    return {"_id": task_id, "_seq_no": seq_no, "_primary_term": 1, "_version": 2, "_source": {**TRAINING, **fields}}


def answer(hits: list[Any], **changes: Any) -> dict[str, Any]:
    """Return a complete answer of `_search` that holds these hits, some of its parts changed."""
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    whole = {"timed_out": False, "_shards": shards, "hits": {"total": {"value": len(hits), "relation": "eq"}}}
    whole["hits"]["hits"] = hits  # type: ignore[index]
    return {**whole, **changes}


def page(hits: list[Any]) -> bytes:
    """Return the bytes of such an answer."""
    return json.dumps(answer(hits), separators=(",", ":")).encode()


def decoded(document: dict[str, Any]) -> Row:
    """Decode one hit in a page of its own."""
    return decoded_page(page([document]))[0]


def decoded_page(body: bytes) -> list[Row]:
    """Decode a page to its rows; the counts are those of the page."""
    found = Decoder().page(body)
    rows = found.table.to_pylist()
    return [Row(row, json.loads(row["extra"] or "{}"), dict(found.tally.counts)) for row in rows]


def write_lines(path: Path, hits: list[Any]) -> Path:
    """Write hits, one a line."""
    path.write_text("".join(json.dumps(one) + "\n" for one in hits))
    return path
