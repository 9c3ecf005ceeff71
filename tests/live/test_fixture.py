"""The live tests' own ground: that what they stand on is what it says."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from live import guard
from live.made_up import TASKS, fill, remove
from live.make_tasks import BAD_TRAININGS, ML
from live.server import Server, ServerError
from live.workload import WORK
from live.writer import Writer


def ids_on(server: Server) -> set[str]:
    answer = server.ask("POST", f"/{TASKS}/_search", {"size": 10_000, "_source": False})
    return {hit["_id"] for hit in answer["hits"]["hits"]}


def test_the_server_records_completed_and_failed_tasks_of_every_kind(made_tasks: dict[str, int]) -> None:
    assert made_tasks == {
        "TRAINING COMPLETED": 24,
        "TRAINING FAILED": 9,
        "REGISTER_MODEL COMPLETED": 8,
        "REGISTER_MODEL FAILED": 4,
        "DEPLOY_MODEL COMPLETED": 4,
        "DEPLOY_MODEL FAILED": 4,
        "AGENT_EXECUTION COMPLETED": 4,
        "AGENT_EXECUTION FAILED": 3,
    }


def test_the_server_is_at_work_on_nothing_afterwards(quiet_cluster: Server) -> None:
    assert quiet_cluster.ask("POST", f"{ML}/tasks/_search", {"query": WORK})["hits"]["total"]["value"] == 0
    assert quiet_cluster.ask("GET", f"{ML}/profile/tasks") == {}


def test_every_bad_training_fails_for_a_reason_of_its_own(quiet_cluster: Server) -> None:
    query = {"bool": {"filter": [{"term": {"task_type": "TRAINING"}}, {"term": {"state": "FAILED"}}]}}
    hits = quiet_cluster.ask("POST", f"{ML}/tasks/_search", {"query": query, "size": 100})["hits"]["hits"]
    assert len({hit["_source"]["error"] for hit in hits}) >= len(BAD_TRAININGS)


def test_made_up_tasks_are_added_and_removed(quiet_cluster: Server) -> None:
    before = ids_on(quiet_cluster)
    added = fill(quiet_cluster, 1200)
    assert ids_on(quiet_cluster) == before | set(added)
    remove(quiet_cluster, added)
    assert ids_on(quiet_cluster) == before


def test_a_writer_tells_truly_what_it_changed(quiet_cluster: Server) -> None:
    before = ids_on(quiet_cluster)
    with Writer(quiet_cluster) as writer:
        writer.wait_for(changes=600)
    after = ids_on(quiet_cluster)
    assert after - before == writer.left
    assert writer.created
    assert writer.deleted
    assert writer.kept
    assert writer.kept <= after
    assert not writer.deleted & after
    remove(quiet_cluster, writer.left)


def test_a_server_that_cannot_start_shows_its_own_words(server: Server) -> None:
    if server.process is None:
        pytest.skip("MLTASKS_TEST_URL names the server to test on: none is started, so none can fail to start")
    with pytest.raises(ServerError, match="Invalid initial heap size"):
        Server.start(heap="none")


def test_a_server_ends_with_the_session_however_that_ends(tmp_path: Path) -> None:
    waits_for_ever = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    with subprocess.Popen(waits_for_ever, start_new_session=True) as process:
        watching = [sys.executable, guard.__file__, str(process.pid), str(tmp_path)]
        with subprocess.Popen(watching, stdin=subprocess.PIPE) as watcher:
            assert watcher.stdin
            watcher.stdin.close()  # as the end of the session does
            assert process.wait(60) == -signal.SIGKILL
    assert not tmp_path.exists()
