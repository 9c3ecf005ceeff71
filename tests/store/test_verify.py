from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.store import manifest
from mltasks.store.manifest import ClusterState, Manifest, Snapshot, StoredFile
from mltasks.store.transaction import open_transaction
from mltasks.tasks.metadata import ClusterInfo
from support.documents import hit
from support.stores import AS_OF, DAY, put

Damage = Callable[[Path, StoredFile], dict[str, Any] | None]


def cut(place: Path, file: StoredFile) -> None:
    place.write_bytes(place.read_bytes()[:-1])


def flip(place: Path, file: StoredFile) -> None:
    content = bytearray(place.read_bytes())
    content[40] ^= 1
    place.write_bytes(content)


def remove(place: Path, file: StoredFile) -> None:
    place.unlink()


def rewritten(place: Path, change: Callable[[Any], Any]) -> dict[str, Any]:
    pq.write_table(change(pq.read_table(place, partitioning=None)), place)
    content = place.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def other_columns(place: Path, file: StoredFile) -> dict[str, Any]:
    return rewritten(place, lambda rows: rows.drop_columns("state"))


def row_twice(place: Path, file: StoredFile) -> dict[str, Any]:
    return rewritten(place, lambda rows: rows.take([0, 1, 1])) | {"rows": 3}


def row_lost(place: Path, file: StoredFile) -> dict[str, Any]:
    return rewritten(place, lambda rows: rows.slice(1))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, ["bytes instead of"]),
        (flip, ["its bytes are not those that were written"]),
        (remove, ["No such file or directory"]),
        (other_columns, ["state"]),
        (row_twice, ["1 task of here is there more than once"]),
        (row_lost, ["rows is 1, not 2 as in the manifest", "first_ms is"]),
        (lambda place, file: {"open": 2}, ["open is 0, not 2 as in the manifest"]),
        (lambda place, file: {"gone": 1}, ["gone is 0, not 1 as in the manifest"]),
        (lambda place, file: {"latest_ms": 7}, ["latest_ms is"]),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, damage: Damage, words: list[str]) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1, create_time=AS_OF - 1), hit("task-2", 2, create_time=AS_OF)])
    (file,) = state.files
    assert mltasks.Store(tmp_path / "s").verify() == []
    (link,) = (tmp_path / "s").rglob("*.parquet")
    link.unlink()  # the partitions are another matter
    place = tmp_path / "s" / "_files" / file.path
    changes = damage(place, file) or {}
    changed = manifest.replace(state, files=(msgspec.structs.replace(file, **changes),))
    manifest.write(tmp_path / "s", Manifest(clusters={"here": ClusterState(published=changed)}))
    *problems, unpublished = mltasks.Store(tmp_path / "s").verify()
    assert unpublished == f"{link}: is missing in the partitions; mltasks sync mends it, if none is running"
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems, strict=True))


def test_a_file_in_the_wrong_month_is_said(tmp_path: Path) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1)])
    (file,) = state.files
    moved = msgspec.structs.replace(file, path=file.path.replace("2023-11", "2024-01"))
    target = tmp_path / "s" / "_files" / moved.path
    target.parent.mkdir()
    shutil.copy(tmp_path / "s" / "_files" / file.path, target)
    manifest.write(
        tmp_path / "s", Manifest(clusters={"here": ClusterState(published=manifest.replace(state, files=(moved,)))})
    )
    problems = mltasks.Store(tmp_path / "s").verify()
    assert problems[0].endswith("its tasks belong to cluster=here/created=2023-11, not to its folder")
    assert problems[1].endswith("is missing in the partitions; mltasks sync mends it, if none is running")
    assert problems[2].endswith("should not be in the partitions; mltasks sync mends it, if none is running")


def test_another_file_in_the_partitions_is_said(tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (link,) = (tmp_path / "s").rglob("*.parquet")
    link.unlink()
    link.write_bytes(b"another")
    (problem,) = mltasks.Store(tmp_path / "s").verify()
    assert problem.startswith(f"{link}: is another file than the one it stands for; remove it")


def test_a_damaged_copy_of_the_same_size_in_the_partitions_is_said(tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (link,) = (tmp_path / "s").rglob("*.parquet")
    content = link.read_bytes()
    link.unlink()
    link.write_bytes(content)
    assert mltasks.Store(tmp_path / "s").verify() == []
    link.write_bytes(content[:-1] + b"?")
    (problem,) = mltasks.Store(tmp_path / "s").verify()
    assert problem.startswith(f"{link}: is another file than the one it stands for")


def test_a_copy_that_cannot_be_read_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (link,) = (tmp_path / "s").rglob("*.parquet")

    def vanish(self: Path, other: Path) -> bool:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "samefile", vanish)
    (problem,) = mltasks.Store(tmp_path / "s").problems()
    assert problem.text.startswith(f"{link}: cannot be read: No such file or directory; mltasks sync mends it")
    assert not problem.lost


@pytest.mark.parametrize("first", [True, False])
def test_what_an_interrupted_sync_goes_on_from_is_looked_at_too(tmp_path: Path, first: bool) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1)])
    if not first:
        put(tmp_path / "s", "there", [hit("task-1", 1)])
    (file,) = state.files
    with open_transaction(tmp_path / "s") as transaction:
        transaction.checkpoint("here", state)
    followed = {"here": ClusterState(in_progress=state)}
    before = manifest.read(tmp_path / "s")
    assert before is not None
    manifest.write(tmp_path / "s", Manifest(clusters=before.clusters | followed))
    next((tmp_path / "s" / "cluster=here").rglob("*.parquet")).unlink()
    assert mltasks.Store(tmp_path / "s").verify() == []
    place = tmp_path / "s" / "_files" / file.path
    flip(place, file)
    assert mltasks.Store(tmp_path / "s").verify() == [f"{place}: its bytes are not those that were written"]


def test_a_file_of_a_finished_and_an_unfinished_state_is_said_once(tmp_path: Path) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1)])
    with open_transaction(tmp_path / "s") as transaction:
        transaction.checkpoint("here", state)
    place = tmp_path / "s" / "_files" / state.files[0].path
    place.unlink()
    assert mltasks.Store(tmp_path / "s").verify() == [f"{place}: No such file or directory"]


@pytest.mark.parametrize("as_of_ms", [0, AS_OF - 400 * DAY, AS_OF, AS_OF + 400 * DAY])
@pytest.mark.parametrize("created", [AS_OF, AS_OF + 2 * DAY, 0, None, 10**17])
def test_a_task_stays_in_its_place_whatever_the_clock_says_later(
    tmp_path: Path, created: int | None, as_of_ms: int
) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1, create_time=created)])
    later: Snapshot = manifest.replace(state, reading=ClusterInfo(cluster="here", as_of_ms=as_of_ms))
    with open_transaction(tmp_path / "s") as transaction:
        transaction.commit("here", later)
    assert mltasks.Store(tmp_path / "s").verify() == []


@pytest.mark.parametrize("name", ["notes.parquet", "sub/0123456789abcdef.parquet", "../../mine.parquet"])
def test_what_a_bare_glob_finds_beside_the_tasks_is_said(tmp_path: Path, name: str) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (link,) = (tmp_path / "s").rglob("*.parquet")
    mine = (link.parent / name).resolve()
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(b"mine")
    (problem,) = mltasks.Store(tmp_path / "s").verify()
    assert problem == f"{mine}: is not of the store, but a bare glob finds it; move it elsewhere"
    put(tmp_path / "s", "here", [])
    assert mine.read_bytes() == b"mine"
