"""A sync that is killed, cut off, out of space, or not alone: the next one goes on, no row lost, none twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import mltasks
from live.made_up import TASKS, fill, remove
from live.proxy import Proxy
from live.server import Server
from live.writer import Writer
from mltasks import Cluster
from mltasks.opensearch.response import Response
from mltasks.opensearch.retry_policy import RetryPolicy
from support.command import Command
from support.crashes import (
    Syncing,
    Tasks,
    cluster_state,
    globbed,
    of_server,
    present,
    seen,
    sync_in_steps,
    sync_killed_at_a_step,
    sync_killed_at_once,
    wrong_for_readers,
)
from support.missing import fail_or_skip

STEP, PAGE = 200, 100
MLTASKS = [sys.executable, "-m", "mltasks"]


@pytest.fixture(scope="module")
def quiet_cluster(bare_server: Server) -> Iterator[Server]:
    """A server with an index of tasks of its own, at work on none of them."""
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    fill(bare_server, 60)
    yield bare_server
    bare_server.ask("DELETE", f"/{TASKS}")


def name(server: Server) -> str:
    """What a cluster is called that was given no name."""
    return server.url.removeprefix("http://")


def stage(store: Path, cluster: str) -> str:
    """What a process that was killed has left."""
    left = cluster_state(store, cluster)
    first = "" if left.published else "first sync, "
    return first + ("at a step" if left.in_progress else "before any step" if first else "nothing begun")


# How the syncs end, one after the other, by whatever time each takes: so every stage is met on every machine.
FIRST = [*["at once"] * 2, *["at a step"] * 5]
LATER = ["by itself", "at once", *["at a step"] * 2, *["at random"] * 8]
ENDS = [*FIRST, *LATER * 3, "by itself"]
WORK: dict[str, Callable[..., int]] = {
    "at once": sync_killed_at_once,
    "at a step": sync_killed_at_a_step,
    "at random": sync_in_steps,
    "by itself": sync_in_steps,
}


def test_no_task_is_lost_or_twice_though_syncs_are_killed_at_random_while_tasks_are_written(
    quiet_cluster: Server, tmp_path: Path
) -> None:
    store, cluster = tmp_path / "history", name(quiet_cluster)
    chance = random.Random(17)
    left, resumed, length = Counter[tuple[str, str]](), 0, 0.0
    ever: set[str] = set()
    with Writer(quiet_cluster, rate=100, seed=1500) as writer:
        for end in ENDS:
            writer.wait_for(writer.changes + 1)  # so that no sync has nothing to do
            begun = time.monotonic()
            with Syncing(tmp_path, WORK[end], quiet_cluster.url, str(store), STEP, PAGE) as process:
                process.begin()
                if end == "at random":
                    process.kill_after(chance.uniform(0, length))
                code = process.end()
                if code == 0 and end in ("by itself", "at random"):
                    length = time.monotonic() - begun
                    resumed += process.done()["resumed"]
                    assert globbed(store) == seen(store)
                    assert mltasks.Store(store).verify() == []
                else:
                    assert code == -signal.SIGKILL, process.said()
                    left[end, stage(store, cluster)] += 1
            if not cluster_state(store, cluster).published:
                with pytest.raises(mltasks.Error, match=r"the first sync has not come to its end|is not a store; make"):
                    mltasks.Store(store).files()
                continue
            assert wrong_for_readers(store) == []
            ids = seen(store).keys()
            assert ids >= ever
            ever |= ids
    known = {at: n for at, n in left.items() if at[0] != "at random"}
    assert known == {
        ("at once", "first sync, before any step"): 2,
        ("at a step", "first sync, at a step"): 5,
        ("at once", "nothing begun"): 3,
        ("at a step", "at a step"): 6,
    }
    assert resumed >= 1

    mltasks.Store(store, step=STEP).sync(quiet_cluster.url, reconcile=True)
    found = seen(store)
    assert present(found) == of_server(quiet_cluster)
    assert found.keys() >= ever
    assert {task_id for task_id, (_, gone) in found.items() if gone} >= writer.deleted & ever
    assert globbed(store) == found
    assert mltasks.Store(store).verify() == []
    assert set(mltasks.load(store)["task_id"]) - set(mltasks.load(quiet_cluster.url)["task_id"]) <= writer.deleted
    remove(quiet_cluster, writer.left)


def test_a_command_that_is_killed_says_nothing_and_the_next_one_brings_all(
    quiet_cluster: Server, tmp_path: Path
) -> None:
    store = tmp_path / "history"
    with Proxy(quiet_cluster.url, "slow drip") as proxy:
        command = [*MLTASKS, "sync", proxy.url, str(store)]
        for answers in (0, 1, 3):
            at = proxy.break_after(answers)  # the answer to this search would never be whole
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
                while proxy.searches <= at and process.poll() is None:
                    _wait(process, 0.001)
                process.kill()
                said = process.communicate()[1]
            assert (process.returncode, said) == (-signal.SIGKILL, "")
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert present(seen(store)) == of_server(quiet_cluster)
    assert globbed(store) == seen(store)
    assert mltasks.Store(store).verify() == []


def test_a_reader_sees_one_state_whole_while_a_sync_is_at_work(quiet_cluster: Server, tmp_path: Path) -> None:
    store = tmp_path / "history"
    made = fill(quiet_cluster, 1000)
    mltasks.Store(store).sync(quiet_cluster.url)
    before = seen(store)
    made += fill(quiet_cluster, 1000, seed=9)
    states = []
    with Syncing(tmp_path, sync_in_steps, quiet_cluster.url, str(store), STEP, PAGE) as process:
        process.begin()
        while process.process.exitcode is None:
            states.append(seen(store))
        assert process.end() == 0, process.said()
    after = seen(store)
    assert len(after) == len(before) + 1000
    assert all(state in (before, after) for state in states)
    remove(quiet_cluster, made)


class Watched(Cluster):
    """A cluster that looks at a store before each search: what readers see then is in `states`."""

    def __init__(self, url: str, store: Path) -> None:
        super().__init__(url)
        self.states: list[Tasks] = []
        self._store = store

    def search(self, body: Mapping[str, Any]) -> Response:
        self.states.append(seen(self._store))
        return super().search(body)


def test_a_reader_sees_the_state_before_as_long_as_a_sync_asks_the_cluster(
    quiet_cluster: Server, tmp_path: Path
) -> None:
    store = tmp_path / "history"
    mltasks.Store(store).sync(quiet_cluster.url)
    before = seen(store)
    made = fill(quiet_cluster, 1000)
    watched = Watched(quiet_cluster.url, store)
    mltasks.Store(store, step=STEP).sync(watched, mltasks.Access(page_size=PAGE))
    watched.close()
    assert len(watched.states) >= 1000 // PAGE
    assert all(state == before for state in watched.states)
    assert len(seen(store)) == len(before) + 1000
    remove(quiet_cluster, made)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        fail_or_skip(f"no disk of its own: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_is_one_line_wherever_it_is_full_and_with_space_again_the_sync_goes_on(
    quiet_cluster: Server, small_disk: Path, command: Command
) -> None:
    store, ballast = small_disk / "history", small_disk / "ballast"
    made: list[str] = []
    refused = 0
    for free in range(0, 40_000, 4096):
        made += fill(quiet_cluster, 20, seed=free + 1)
        before = seen(store) if store.exists() and cluster_state(store, name(quiet_cluster)).published else None
        _fill_up(ballast, free)
        ran = command("sync", quiet_cluster.url, str(store))
        if ran.code:
            refused += 1
            assert ran.code == 5
            assert ran.err.startswith(f"mltasks: {store}")
            assert ran.err.endswith(": cannot be written: No space left on device\n")
            assert ran.err.count("\n") == 1
            if before is not None:
                assert seen(store) == before
        ballast.unlink()
        assert command("sync", quiet_cluster.url, str(store)).code == 0
        assert present(seen(store)) == of_server(quiet_cluster)
        assert globbed(store) == seen(store)
        assert mltasks.Store(store).verify() == []
    assert refused >= 4
    remove(quiet_cluster, made)


def test_a_second_sync_at_the_same_time_is_told_so_and_changes_nothing(quiet_cluster: Server, tmp_path: Path) -> None:
    store = tmp_path / "history"
    mltasks.Store(store).sync(quiet_cluster.url)

    def everything() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in [store, *store.rglob("*")]}

    with (
        Proxy(quiet_cluster.url, "slow drip", at=0) as proxy,
        Syncing(tmp_path, sync_in_steps, proxy.url, str(store), STEP, PAGE) as first,
    ):
        first.begin()
        while not proxy.searches:
            first.process.join(0.01)
        before = everything()
        second = subprocess.run([*MLTASKS, "sync", quiet_cluster.url, str(store)], capture_output=True, text=True)
        assert second.returncode == 5
        assert second.stdout == ""
        assert second.stderr == f"mltasks: {store}: another sync is writing to it; try again when it has ended\n"
        assert everything() == before
        first.process.kill()
        first.end()
    assert mltasks.Store(store).sync(quiet_cluster.url).missing == 0


CUTS = ("connection refused", "reset in the headers", "reset in the middle of the body", "503", "body cut short")


@pytest.mark.parametrize("fault", CUTS)
def test_a_cut_connection_is_exit_3_and_the_next_sync_goes_on_from_the_step_reached(
    quiet_cluster: Server, tmp_path: Path, fault: str
) -> None:
    store = mltasks.Store(tmp_path / "history", step=STEP)
    made = fill(quiet_cluster, 900)
    with Proxy(quiet_cluster.url, fault, at=7, for_ever=True) as proxy:
        policy = RetryPolicy(sleep=proxy.recover)
        cut = mltasks.Cluster(proxy.url, name="here", retry_policy=policy)
        with pytest.raises(mltasks.ClusterError) as caught:
            store.sync(cut, mltasks.Access(page_size=PAGE))
        cut.close()
    assert caught.value.exit_code == 3
    assert proxy.url in str(caught.value)
    reached = cluster_state(store.path, "here").in_progress
    assert reached is not None
    assert reached.rows >= 2 * STEP
    whole = mltasks.Cluster(quiet_cluster.url, name="here")
    done = store.sync(whole, mltasks.Access(page_size=PAGE))
    whole.close()
    assert done.resumed
    assert done.new == done.tasks - reached.rows
    assert present(seen(store.path)) == of_server(quiet_cluster)
    assert globbed(store.path) == seen(store.path)
    assert store.verify() == []
    remove(quiet_cluster, made)


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _fill_up(ballast: Path, free: int) -> None:
    """Fill a disk with a file but for so many bytes."""
    with ballast.open("wb") as file:
        there = os.statvfs(ballast.parent)
        file.write(bytes(max(0, there.f_bavail * there.f_frsize - free)))
