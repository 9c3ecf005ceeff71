"""A sync whose system calls fail one by one, and one that is killed at each: the old state or the new one, whole.

Calls are met in a process each, as `strace` counts them in an undisturbed run: every one that gives or takes a name,
and of the others the first of a kind (same call, same kind of path).
"""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

import mltasks
from live import strace
from live.made_up import TASKS, documents, fill, remove
from live.server import Server
from live.strace import Call
from support.crashes import Syncing, Tasks, globbed, of_server, present, seen, sync_by_command, wrong_for_readers
from support.missing import fail_or_skip

MONTH = 31 * 86_400_000
ERRORS = {  # what each call may answer on a disk that is full, failing, or not ours
    "openat": "EACCES",
    "mkdir": "ENOSPC",
    "write": "ENOSPC",
    "fsync": "EIO",
    "rename": "ENOSPC",
    "link": "ENOSPC",
    "unlink": "EACCES",
    "rmdir": "EACCES",
    "flock": "ENOLCK",
    "read": "EIO",
    "pread64": "EIO",
    "getdents64": "EIO",
    "newfstatat": "EACCES",
    "stat": "EACCES",
    "fstat": "EIO",
    "close": "EIO",
}
CHANGING = ("mkdir", "write", "fsync", "rename", "link", "unlink", "rmdir", "flock")
NAMES = ("mkdir", "rename", "link", "unlink", "rmdir")  # what changes which names there are
LOOKS = ("newfstatat", "stat", "fstat", "getdents64", "close")  # most of the calls, and alike


@dataclass(frozen=True)
class Prepared:
    """A store, what has changed on its cluster since, and what readers may see of it."""

    url: str
    store: Path
    states: list[Tasks]  # as it is, after the sync, and with the marks of what is gone
    calls: list[Call]

    def copy(self, folder: Path) -> Path:
        """A copy to sync into."""
        shutil.copytree(self.store, folder / "store")
        return folder / "store"


@dataclass(frozen=True)
class Ended:
    """How a sync ended that was disturbed at a call, what it said, and what strace saw of it."""

    call: Call
    code: int
    said: str
    log: str

    def is_one_line(self, folder: Path) -> bool:
        """Tell whether it said one line, which names a place."""
        return self.said.startswith("mltasks: ") and self.said.count("\n") == 1 and str(folder) in self.said


@pytest.fixture(scope="module")
def quiet_cluster(bare_server: Server) -> Iterator[Server]:
    """A server with an index of tasks of its own, at work on none of them."""
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    fill(bare_server, 60)
    yield bare_server
    bare_server.ask("DELETE", f"/{TASKS}")


@pytest.fixture(scope="module")
def prepared(quiet_cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A store whose next sync adds, replaces and marks, makes and removes partitions, and sweeps."""
    if reason := strace.missing():
        fail_or_skip(reason)
    folder = tmp_path_factory.mktemp("calls")
    store = folder / "before"
    made = dict(islice(documents(seed=41), 12))
    ids = list(made)

    def put(numbers: range, months_on: int) -> None:
        lines: list[object] = []
        for task_id in ids[numbers.start : numbers.stop]:
            task = made[task_id]
            moved = {name: task[name] + months_on * MONTH for name in ("create_time", "last_update_time")}
            lines += [{"index": {"_id": task_id}}, {**task, **moved}]
        quiet_cluster.bulk(TASKS, lines)

    put(range(4), 0)
    put(range(4, 6), 4)
    mltasks.Store(store).sync(quiet_cluster.url)
    put(range(1), 0)
    mltasks.Store(store).sync(quiet_cluster.url)
    (store / ".mltasks-0123456789abcdef.part").write_text("what a killed sync has left")
    states = [seen(store)]
    put(range(2), 0)  # replaced
    put(range(4, 6), 8)  # all of a month move to another one
    put(range(6, 12), 0)  # new
    remove(quiet_cluster, [ids[3]])
    done = folder / "done"
    shutil.copytree(store, done)
    mltasks.Store(done).sync(quiet_cluster.url)
    states.append(seen(done))
    mltasks.Store(done).sync(quiet_cluster.url, reconcile=True)
    states.append(seen(done))
    case = folder / "counted"
    case.mkdir()
    found = Prepared(quiet_cluster.url, store, states, [])
    assert run(found, case, strace.CALLS)[0] == 0
    yield Prepared(found.url, store, states, strace.calls(case / "log", case / "store"))
    remove(quiet_cluster, [task_id for task_id in ids if task_id != ids[3]])


def run(prepared: Prepared, folder: Path, *expressions: str) -> tuple[int, str]:
    """Sync into a copy of the store under strace; how it ended, and what it said."""
    store = prepared.copy(folder)
    with Syncing(folder, sync_by_command, prepared.url, str(store), "--reconcile") as syncing:
        with strace.attached(syncing.pid, folder / "log", *expressions):
            syncing.begin()
            code = syncing.end()
        return code, syncing.said()


def what_is_wrong(prepared: Prepared, store: Path, code: int) -> Iterator[str]:
    """What readers see that they should not, after a sync that ended so, and after one more."""
    if seen(store) not in prepared.states:
        yield "readers see another state than that before or after"
    yield from mltasks.Store(store).verify() if code == 0 else wrong_for_readers(store)
    if code == 0 and seen(store) != prepared.states[-1]:
        yield "did not bring what the server has, but no error either"
    mltasks.Store(store).sync(prepared.url, reconcile=True)
    if seen(store) != prepared.states[-1]:
        yield "the next sync has not brought what the server has"
    if globbed(store) != seen(store):
        yield "the partitions hold something else after the next sync"
    yield from mltasks.Store(store).verify()


def each(prepared: Prepared, calls: list[Call], folder: Path, change: Callable[[Call], str]) -> list[Ended]:
    """Sync once for every call, with what happens at it; fail with all that readers see wrong. How the syncs ended.

    Several at a time, as a sync that looks for what was deleted waits for the server's next refresh.
    """

    def disturb(number: int, call: Call) -> tuple[Ended, list[str]]:
        place = folder / str(number)
        place.mkdir()
        code, said = run(prepared, place, f"trace={call.name}", change(call))
        wrong = [f"{call}: {what}" for what in what_is_wrong(prepared, place / "store", code)]
        log = (place / "log").read_text("utf-8")
        shutil.rmtree(place)
        return Ended(call, code, said, log), wrong

    with ThreadPoolExecutor(6) as threads:
        ended, wrong = zip(*threads.map(disturb, range(len(calls)), calls), strict=True)
    assert [line for lines in wrong for line in lines] == []
    return list(ended)


def test_the_prepared_sync_calls_for_everything_that_a_store_does(prepared: Prepared, quiet_cluster: Server) -> None:
    assert {call.name for call in prepared.calls} >= set(CHANGING)
    before, synced, marked = prepared.states
    assert before != synced != marked
    assert present(marked) == of_server(quiet_cluster)


def test_a_sync_that_is_killed_at_any_change_leaves_a_whole_state(prepared: Prepared, tmp_path: Path) -> None:
    changing = [call for call in prepared.calls if call.name in CHANGING or "O_CREAT" in call.arguments]
    first = strace.first_of_each_kind(changing)
    chosen = [call for call in changing if call.name in NAMES or call in first]
    killed = each(prepared, chosen, tmp_path, lambda call: call.deadly)
    assert {end.code for end in killed} == {-signal.SIGKILL}
    assert all(str(tmp_path) in end.log for end in killed)


def test_what_the_manifest_names_is_on_the_disk_before_it(prepared: Prepared) -> None:
    unsaved: set[str] = set()  # files with content, and folders with names, that a loss of power would take
    for call in prepared.calls:
        match call.name, strace.PATHS.findall(call.arguments):
            case _ if " = -1 " in call.arguments:
                continue
            case "write", [path]:
                unsaved.add(path)
            case "fsync", [path]:
                unsaved.discard(path)
            case "mkdir", [path]:
                unsaved.add(str(Path(path).parent))
            case "rename", [part, path]:
                assert part not in unsaved
                assert path != "STORE/_manifest.json" or not any(path.startswith("STORE/_files") for path in unsaved)
                unsaved.add(str(Path(path).parent))
    assert "STORE" not in unsaved


def fail_each(prepared: Prepared, calls: list[Call], folder: Path) -> Counter[int]:
    """Let each of the calls fail once; how often the sync ended with which exit code."""
    ended = each(prepared, calls, folder, lambda call: call.failing(ERRORS[call.name]))
    assert [end for end in ended if "(INJECTED)" not in end.log] == []
    assert [end for end in ended if end.code not in (0, 4, 5)] == []
    assert [end for end in ended if end.code and not end.is_one_line(folder)] == []
    return Counter(end.code for end in ended)


def test_a_system_call_that_fails_is_one_line_and_a_whole_state(prepared: Prepared, tmp_path: Path) -> None:
    calls = [call for call in prepared.calls if call.name in ERRORS and call.name not in LOOKS]
    codes = fail_each(prepared, strace.first_of_each_kind(calls), tmp_path)
    assert codes[5] > codes[4] > 0  # 4: what could not be read


def test_a_look_at_the_store_that_fails_is_one_line_and_a_whole_state(prepared: Prepared, tmp_path: Path) -> None:
    calls = [call for call in prepared.calls if call.name in LOOKS]
    codes = fail_each(prepared, strace.first_of_each_kind(calls), tmp_path)
    assert codes[5] > 0
