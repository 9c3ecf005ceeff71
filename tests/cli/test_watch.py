"""`unfinished --watch`: in a process of its own, since only an interrupt ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mltasks.opensearch.cluster_info import TrainPool
from mltasks.render import terminal_nodes
from support.command import Command
from support.stub_cluster import StubCluster

POOL = {"node_id": "node-1", "node_name": "n1", "size": "1", "active": "1", "queue": "7", "queue_size": "10"}


def test_a_watch_shows_pool_and_report_again_until_it_is_interrupted() -> None:
    with StubCluster({"task-1": 1}) as cluster:
        cluster.others["/_cat/thread_pool/opensearch_ml_train"] = [{**POOL, "rejected": "3"}]
        call = [sys.executable, "-m", "mltasks", "unfinished", cluster.url, "--watch", "0.01s"]
        with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
            assert ran.stdout
            assert ran.stderr
            pools = 0
            for line in ran.stdout:
                assert (
                    not line.startswith("n1:")
                    or line == "n1: train 1 of 1 busy, 7 of 10 queued, 3 rejected since its start\n"
                )
                pools += line.startswith("n1:")
                if pools == 2 and line.startswith("1 task of "):
                    break
            ran.send_signal(signal.SIGINT)
            assert ran.wait() == 130
            assert ran.stderr.read().splitlines()[-1] == "mltasks: interrupted"


def test_what_a_cluster_does_not_say_of_its_pools_is_a_dash() -> None:
    pools = [TrainPool("b", "n2", 2, 0, 0, 10, None), TrainPool("a", "", 1, 1, None, None, 0)]
    assert terminal_nodes.render(datetime(2026, 11, 24, 22, 15, tzinfo=UTC), pools) == (
        "2026-11-24 22:15:00 UTC\n"
        "a: train 1 of 1 busy, – of – queued, 0 rejected since its start\n"
        "n2: train 0 of 2 busy, 0 of 10 queued, – rejected since its start\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--watch", "soon"], "--watch: cannot read 'soon' as a span; write 5s, 10m or 2h"),
        (["--watch", "0s"], "--watch: cannot read '0s' as a span; write 5s, 10m or 2h"),
        (["--watch", "5s", "--format", "json"], "--watch: shows a table in the terminal; leave out --format and -o"),
        (["--watch", "5s", "-o", "-"], "--watch: shows a table in the terminal; leave out --format and -o"),
    ],
)
def test_a_watch_that_cannot_be_is_a_line(arguments: list[str], said: str, mltasks: Command) -> None:
    assert mltasks.fails(2, "unfinished", "demo", *arguments) == said


def test_a_watch_of_what_cannot_be_read_ends_at_once(mltasks: Command) -> None:
    assert "nothing.parquet" in mltasks.fails(2, "unfinished", "nothing.parquet", "--watch", "5s")
