"""Made-up tasks, written straight into the task index: for sizes that no server reaches by training."""

from __future__ import annotations

import gzip
import json
import random
import secrets
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from live.server import Server

TASKS = ".plugins-ml-task"
CAPTURED = Path(__file__).parents[2] / "data" / "tasks.ndjson.gz"
BEGIN = 1_700_000_000_000  # of the first made-up task, in epoch milliseconds: in the past for every clock
PAGE = 5000

Document = dict[str, Any]


def fill(server: Server, count: int, seed: int = 3) -> list[str]:
    """Add `count` tasks to the task index, which the first real task has to have made; returns their ids."""
    server.ask("GET", f"/{TASKS}")  # else writing would make one, with a mapping of its own
    made = islice(documents(seed), count)
    ids: list[str] = []
    while page := dict(islice(made, PAGE)):
        lines: list[object] = []
        for task_id, task in page.items():
            lines += [{"index": {"_id": task_id}}, task]
        server.bulk(TASKS, lines)
        ids += page
    return ids


def remove(server: Server, ids: Iterable[str]) -> None:
    """Delete tasks from the task index."""
    rest = iter(ids)
    while page := list(islice(rest, PAGE)):
        server.bulk(TASKS, ({"delete": {"_id": task_id}} for task_id in page))


def documents(seed: int = 3) -> Iterator[tuple[str, Document]]:
    """Ids and tasks without end: captured tasks at times of their own. No id comes twice, in no run."""
    chance = random.Random(seed)
    create_time = BEGIN
    while True:
        task = dict(chance.choice(shapes()))
        spent = task["last_update_time"] - task["create_time"]
        create_time += chance.randint(0, 2000)
        task["create_time"] = create_time
        task["last_update_time"] = create_time + max(1, int(spent * chance.lognormvariate(0, 0.5)))
        if "model_id" in task:
            task["model_id"] = _id()
        yield _id(), task


@cache
def shapes() -> tuple[Document, ...]:
    """The captured tasks, less those that a server would seem to be at work on: nothing would end them."""
    with gzip.open(CAPTURED, "rt", encoding="utf-8") as hits:
        tasks = [json.loads(line)["_source"] for line in hits]
    at_a_provider = "BATCH_PREDICTION"
    return tuple(t for t in tasks if t["task_type"] == at_a_provider or t["state"] not in ("CREATED", "RUNNING"))


def _id() -> str:
    return secrets.token_urlsafe(15)  # 20 characters like the server's own; some begin with - or _
