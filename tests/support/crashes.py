"""Syncs in processes of their own that are there at once: forked from one which has imported what a sync needs."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mltasks
from live.api import Api
from live.made_up import TASKS
from mltasks.cli.main import main
from mltasks.opensearch.response import Response
from mltasks.store import manifest
from mltasks.store.manifest import ClusterState

MENDED = "in the partitions; mltasks sync mends it, if none is running"
TESTS = Path(__file__).parents[1]
POLLED = Lock()  # a start looks how others have ended; where two threads read that of one at once, it is 255 for one
NEEDED = [
    "support.crashes",
    "pytest",  # a child imports the program again that its parent runs
    *(
        "mltasks.cli.sync",
        "mltasks.store.store",
        "mltasks.render.cells",
        "mltasks.opensearch.retry",
        "encodings.idna",
        "filelock",
        "pyarrow.acero",
        "pyarrow.dataset",
    ),
]


def sync_in_steps(url: str, store: str, step: int, page_size: int) -> int:
    """Sync as a program does, and print what was done; the exit code is that of the command."""
    try:
        done = mltasks.Store(store, step=step).sync(url, mltasks.Access(page_size=page_size))
    except mltasks.Error as error:
        print(f"mltasks: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(asdict(done)))
    return 0


def sync_killed_at_once(url: str, store: str, step: int, page_size: int) -> int:
    """Sync as a program that is killed (SIGKILL) when it is to ask its first question."""
    return _sync_deadly(url, store, step, page_size, lambda: True)


def sync_killed_at_a_step(url: str, store: str, step: int, page_size: int) -> int:
    """Sync as a program that is killed (SIGKILL) when it is to ask its first question after it put a step into files.

    One follows every step, also the last one. Where there is no step to be made, it ends by itself.
    """
    name = mltasks.Cluster(url).name
    before = cluster_state(Path(store), name).in_progress

    def at_a_step() -> bool:
        return cluster_state(Path(store), name).in_progress not in (None, before)

    return _sync_deadly(url, store, step, page_size, at_a_step)


def _sync_deadly(url: str, store: str, step: int, page_size: int, is_time: Callable[[], bool]) -> int:
    mltasks.Store(store, step=step).sync(Deadly(url, is_time), mltasks.Access(page_size=page_size))
    return 0


class Deadly(mltasks.Cluster):
    """A cluster that kills (SIGKILL) the process which asks it at a certain time."""

    def __init__(self, url: str, is_time: Callable[[], bool]) -> None:
        super().__init__(url)
        self._is_time = is_time

    def search(self, body: Mapping[str, Any]) -> Response:
        if self._is_time():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().search(body)


def cluster_state(store: Path, cluster: str) -> ClusterState:
    """Return how far a store has come with a cluster."""
    found = manifest.read(store)
    return (found.clusters if found else {}).get(cluster, ClusterState())


def sync_by_command(*arguments: str) -> int:
    """Sync as the command does."""
    return main(["sync", *arguments])


class Syncing:
    """A process that is to run one of the functions above: it waits for `begin`, as long as the `with` block runs.

    What it says goes into the file `heard`.
    """

    def __init__(self, folder: Path, work: Callable[..., int], *arguments: str | int) -> None:
        self.heard = folder / "heard"
        context = _forking()
        self._line, there = context.Pipe()
        self.process: BaseProcess = context.Process(target=_run, args=(there, str(self.heard), work, arguments))
        with POLLED:
            self.process.start()
        there.close()
        self._line.recv()  # it is there, and does nothing more before `begin`

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def begin(self) -> None:
        """Let it go."""
        self._line.send(None)

    def end(self, seconds: float = 240) -> int:
        """Wait for its end, and return how that was: its exit code, or less than zero by a signal."""
        wait([self.process.sentinel], seconds)
        with POLLED:
            self.process.join(0)
            assert self.process.exitcode is not None, f"not at its end after {seconds} s"
            return self.process.exitcode

    def kill_after(self, seconds: float) -> None:
        """Kill it (SIGKILL) unless it ends by itself within the time."""
        self.process.join(seconds)
        self.process.kill()

    def said(self) -> str:
        """Return what it has printed."""
        return self.heard.read_text("utf-8")

    def done(self) -> dict[str, Any]:
        """Return what `sync_in_steps` did."""
        found: dict[str, Any] = json.loads(self.said())
        return found

    def __enter__(self) -> Syncing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self._line.close()


@cache
def _forking() -> ForkServerContext:
    """Start the process that the others are forked from: it has imported all, and has no thread."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(TESTS))  # it is not told where its parent finds modules
        forkserver.ensure_running()
    return context


def _run(line: Connection, heard: str, work: Callable[..., int], arguments: tuple[str | int, ...]) -> None:
    with Path(heard).open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    line.send(None)
    line.recv()
    sys.exit(work(*arguments))


Form = tuple[int, str, int, int]  # seq_no, state, create_time, last_update_time
Tasks = dict[str, tuple[Form, bool]]  # by id: its form, and whether it was found gone


def seen(store: Path) -> Tasks:
    """Return what readers see: the tasks of `Store.files()`."""
    return _read(mltasks.Store(store).files())


def globbed(store: Path) -> Tasks:
    """Return what any tool sees that reads the partitions."""
    return _read(store.glob("cluster=*/created=*/*.parquet"))


def present(tasks: Tasks) -> dict[str, Form]:
    """Return the tasks that were not found gone."""
    return {task_id: form for task_id, (form, gone) in tasks.items() if not gone}


def wrong_for_readers(store: Path) -> list[str]:
    """Return what is wrong with a store, less what only a bare glob meets, and the next sync mends."""
    return [line for line in mltasks.Store(store).verify() if not line.endswith(MENDED)]


def of_server(server: Api) -> dict[str, Form]:
    """Return what the server itself says of its tasks; asked in its index, without a line of what is tested."""
    question = {"size": 10_000, "seq_no_primary_term": True, "track_total_hits": True}
    hits = server.ask("POST", f"/{TASKS}/_search", question)["hits"]
    assert hits["total"]["value"] == len(hits["hits"]), "more tasks than one answer holds"
    return {
        hit["_id"]: (hit["_seq_no"], *(hit["_source"][name] for name in ("state", "create_time", "last_update_time")))
        for hit in hits["hits"]
    }


def _read(files: Iterable[Path]) -> Tasks:
    tables = [pq.ParquetFile(file).read() for file in files]
    columns = ("task_id", "seq_no", "state", "create_time", "last_update_time", "gone_time")
    tasks: Tasks = {}
    for table in tables:
        for name in ("create_time", "last_update_time"):
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
        for task_id, *form, gone in zip(*(table[name].to_pylist() for name in columns), strict=True):
            assert task_id not in tasks, "a task is there twice"
            tasks[task_id] = (*form,), gone is not None
    return tasks
