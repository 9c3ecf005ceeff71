"""A script that trains a model and goes on when it is there."""

from __future__ import annotations

from live.make_tasks import BAD_TRAININGS, train
from live.server import Server
from support.command import Command


def test_a_training_is_waited_for_and_the_exit_code_says_how_it_ended(quiet_cluster: Server, command: Command) -> None:
    good = train(quiet_cluster, "kmeans")
    ran = command("get", quiet_cluster.url, good, "--wait", "--timeout", "2m", "--format", "json")
    assert (ran.code, ran.rows[0]["state"]) == (0, "COMPLETED")
    kind, changes = BAD_TRAININGS[1]
    bad = train(quiet_cluster, kind, **changes)
    ran = command("get", quiet_cluster.url, bad, "--wait", "--timeout", "2m", "--format", "json")
    assert (ran.code, ran.rows[0]["state"]) == (1, "FAILED")
