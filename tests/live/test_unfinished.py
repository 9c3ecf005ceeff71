"""What is lost with a node that is killed: told by when its JVM was started, within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import mltasks
from live.assemble import MissingError
from live.conftest import _beside_our_own_only
from live.make_tasks import train
from live.prepare import prepare
from live.server import Server
from live.workload import settle
from mltasks.tasks import metadata
from support.missing import fail_or_skip

TRAININGS = 8  # one runs, the others wait for its thread
SLOW = {"target": "species", "epochs": 100_000}


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server of its own, which a test may kill."""
    _beside_our_own_only()
    try:
        started = Server.start()
    except MissingError as missing:
        fail_or_skip(f"no server to kill: {missing}")
    with started:
        yield started


def test_all_trainings_of_a_killed_node_are_lost_and_none_before(mortal: Server, tmp_path: Path) -> None:
    prepare(mortal)
    done = train(mortal, "kmeans")  # as long as there is no model, a node does not tell what it holds
    settle(mortal)
    ids = sorted(train(mortal, "logistic_regression", parameters=SLOW) for _ in range(TRAININGS))
    before = mltasks.unfinished(mltasks.load(mortal.url))
    assert before["task_id"].tolist() == ids
    assert set(before["verdict"]) == {"running"}
    (newest,) = before.nsmallest(1, "age_s")["evidence"]
    assert newest.endswith(f"{TRAININGS - 1} created before it are open, 1 at once can train")
    assert before["node_there"].all()
    mltasks.fetch(mortal.url, tmp_path / "before.parquet")
    while mltasks.unfinished(mltasks.load(mortal.url))["age_s"].min() < 6:
        pass  # a JVM that starts within 5 s of a task proves nothing

    mortal.kill_and_restart()
    tasks = mltasks.load(mortal.url)
    after = mltasks.unfinished(tasks)
    assert after["task_id"].tolist() == ids
    assert set(after["verdict"]) == {"lost"}
    assert after["evidence"].str.fullmatch(rf"{mortal.name} started \S+, task created \S+").all()
    context = metadata.read_attrs(tasks.attrs)
    assert context is not None
    nodes = context.readings[0].nodes
    assert nodes is not None
    (node,) = nodes.values()
    assert node.started_ms is not None
    created = tasks.set_index("task_id")["create_time"][ids]
    assert (created < pd.Timestamp(node.started_ms - 5000, unit="ms", tz="UTC")).all()
    assert done in set(tasks.loc[tasks["state"] == "COMPLETED", "task_id"])
    assert (after["age_s"] < 660).all(), "long before one of them is overdue"

    mltasks.fetch(mortal.url, tmp_path / "after.parquet")
    mltasks.Store(tmp_path / "store").sync(mortal.url)
    verdicts = {
        name: set(mltasks.unfinished(mltasks.scan(str(tmp_path / name)))["verdict"])
        for name in ("before.parquet", "after.parquet", "store")
    }
    assert verdicts == {"before.parquet": {"running"}, "after.parquet": {"lost"}, "store": {"lost"}}
