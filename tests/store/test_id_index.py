from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mltasks
from mltasks.engines import data_files
from mltasks.store import id_index, manifest, recent_writes
from mltasks.store.layout import FULL, StoreLayout
from mltasks.store.manifest import Snapshot
from mltasks.store.upsert import SMALL, Upsert
from support.documents import hit
from support.stores import AS_OF, put, rows

IDS = st.sets(st.text(max_size=30), max_size=300)


@given(IDS, IDS)
def test_no_id_of_a_file_is_missing_in_its_index(inside: set[str], others: set[str]) -> None:
    outside = sorted(others - inside)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ids")
        path.write_bytes(id_index.build(id_index.hash_ids(sorted(inside))))
        assert id_index.may_contain(path, id_index.hash_ids(sorted(inside))).all()
        assert not id_index.may_contain(path, id_index.hash_ids(outside)).any()
        for one in outside[:5]:
            assert not id_index.may_contain(path, id_index.hash_ids([one])).any()


def test_few_ids_are_looked_up_without_reading_the_index_and_give_the_same(tmp_path: Path) -> None:
    ids = [f"task-{n}" for n in range(20_000)]
    (tmp_path / "ids").write_bytes(id_index.build(id_index.hash_ids(ids)))
    for some in (ids[:3], ids, [*ids[:2], "other"]):
        expected = [one != "other" for one in some]
        assert id_index.may_contain(tmp_path / "ids", id_index.hash_ids(some)).tolist() == expected


def test_a_number_that_only_lies_across_two_others_is_not_in_a_bucket(tmp_path: Path) -> None:
    others = [(2**31 + n) << 32 for n in range(600)]  # in another bucket
    hashes = np.array([2, 2**24, *others], np.uint64)  # 02 00 00 00 00 00 00 01: from the second byte on there is a 0
    (tmp_path / "ids").write_bytes(id_index.build(hashes))
    for number, is_there in ((2, True), (2**24, True), (0, False)):
        assert id_index.may_contain(tmp_path / "ids", np.array([number], np.uint64)).tolist() == [is_there]


def test_a_hash_is_the_same_on_every_machine_and_in_every_version() -> None:
    hashes = [7_649_917_405_278_008_357, 13_020_603_013_274_838_756]
    assert id_index.hash_ids(["m7OOD6IB9vLLZ4UL_SMI", ""]).tolist() == hashes


@given(IDS, IDS)
def test_an_remaining_index_some_ids_has_all_others(stay: set[str], leave: set[str]) -> None:
    stay, inside = stay - leave, sorted(stay | leave)
    left = id_index.remove_ids(id_index.build(id_index.hash_ids(inside)), id_index.hash_ids(sorted(leave)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ids")
        path.write_bytes(left)
        assert id_index.may_contain(path, id_index.hash_ids(sorted(stay))).all()
        assert not id_index.may_contain(path, id_index.hash_ids(sorted(leave))).any()


def test_of_two_ids_with_one_hash_one_stays_in_the_index(tmp_path: Path) -> None:
    twice = np.array([7, 7, 2**63], np.uint64)
    (tmp_path / "ids").write_bytes(id_index.remove_ids(id_index.build(twice), twice[:1]))
    assert id_index.may_contain(tmp_path / "ids", twice).all()


def test_an_id_that_is_not_in_an_index_leaves_it_as_it_is() -> None:
    index = id_index.build(id_index.hash_ids(["a", "b"]))
    assert id_index.remove_ids(index, id_index.hash_ids(["c"])) == index


def test_an_index_that_is_damaged_anywhere_is_none(tmp_path: Path) -> None:
    ids = [f"task-{n}" for n in range(300)]
    content = id_index.build(id_index.hash_ids(ids))
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 1
        (tmp_path / "ids").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"index of ids|damaged"):
            id_index.may_contain(tmp_path / "ids", id_index.hash_ids(ids))
        with pytest.raises(ValueError, match=r"index of ids|damaged"):
            id_index.remove_ids(bytes(damaged), id_index.hash_ids(ids[:1]))
    (tmp_path / "ids").write_bytes(content[:-1])
    with pytest.raises(ValueError, match="is no index of ids"):
        id_index.may_contain(tmp_path / "ids", id_index.hash_ids(ids))


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b"x"), lambda path: path.write_bytes(b"")]
)
def test_a_store_without_an_index_finds_its_tasks_all_the_same(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    put(tmp_path / "s", "here", [hit(f"task-{n}", n) for n in range(5)])
    for path in (tmp_path / "s" / "_files").rglob("*.ids"):
        damage(path)
    put(tmp_path / "s", "here", [hit("task-3", 9, state="FAILED")])
    assert mltasks.Store(tmp_path / "s").verify() == []
    assert mltasks.failures(mltasks.scan(tmp_path / "s"), by=[])[["tasks", "failed"]].to_numpy().tolist() == [[5, 1]]


def test_an_index_leaves_with_its_file(tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    put(tmp_path / "s", "here", [hit("task-1", 2, state="FAILED")])
    current = manifest.read(tmp_path / "s")
    assert current is not None
    manifest.write(tmp_path / "s", manifest.Manifest(clusters=current.clusters))  # nobody reads the replaced one
    put(tmp_path / "s", "here", [])
    files = [path.relative_to(tmp_path) for path in mltasks.Store(tmp_path / "s").files()]
    there = [path.relative_to(tmp_path) for path in (tmp_path / "s" / "_files").rglob("*.*") if path.is_file()]
    assert sorted(there) == sorted([*files, *(path.with_suffix(".ids") for path in files)])


def test_open_tasks_lie_apart_and_a_large_file_is_left_alone(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    done = [hit(f"done-{n}", n) for n in range(SMALL * 3)]
    still = [hit(f"open-{n}", 10_000 + n, state="RUNNING") for n in range(5)]
    state = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", [*done, *still])).state
    assert sorted((file.rows, file.open) for file in state.files) == [(5, 5), (SMALL * 3, 0)]
    large = max(state.files, key=lambda file: file.rows)
    for n in range(5):
        state = Upsert(layout, "here", AS_OF).add(state, rows("here", [hit(f"open-{n}", 20_000 + n)])).state
        assert large in state.files
    assert sorted((file.rows, file.open) for file in state.files) == [(5, 0), (SMALL * 3, 0)]


def test_a_finished_task_that_changes_costs_one_file_of_a_bounded_size(tmp_path: Path) -> None:
    layout, count = StoreLayout(tmp_path), FULL * 2 + 100
    state = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", [hit(f"t-{n}", n) for n in range(count)])).state
    assert sorted(file.rows for file in state.files) == [100, FULL, FULL]
    changed = [hit("t-7", count, state="FAILED")]
    after = Upsert(layout, "here", AS_OF).add(state, rows("here", changed)).state
    assert sorted(file.rows for file in after.files) == [101, FULL - 1, FULL]
    before = {file.path: file for file in state.files}
    kept = [file for file in after.files if file.path in before]
    assert [file.rows for file in kept] == [FULL]
    (lost,) = (file for file in after.files if file.rows == FULL - 1)
    index = (tmp_path / "_files" / lost.path).with_suffix(".ids")
    assert id_index.may_contain(index, id_index.hash_ids(["t-6", "t-7", "t-8"])).tolist() == [True, False, True]


def test_a_file_of_an_older_version_that_is_larger_becomes_several_when_a_task_of_it_changes(tmp_path: Path) -> None:
    layout, count = StoreLayout(tmp_path), FULL + 10
    stored = rows("here", [hit(f"t-{n}", n) for n in range(count)])
    stored = stored.append_column(data_files.GONE, pa.nulls(count, data_files.GONE.type))
    large = layout.write("cluster=here/created=2025-11", stored.select(data_files.FILE_SCHEMA.names), 0)
    state = Snapshot(files=(large,), cursor=count - 1)
    after = Upsert(layout, "here", AS_OF).add(state, rows("here", [hit("t-7", count, state="FAILED")])).state
    assert sorted(file.rows for file in after.files) == [1, 9, FULL]


def test_small_files_become_few_large_ones(tmp_path: Path) -> None:
    layout, state, number = StoreLayout(tmp_path), Snapshot(), 0
    for _ in range(60):
        coming = [hit(f"t-{number + n}", number + n) for n in range(300)]
        state = Upsert(layout, "here", AS_OF).add(state, rows("here", coming)).state
        number += 300
        assert len(state.files) <= 6
    assert state.rows == number


def test_writes_in_the_ring_are_known_and_no_others(tmp_path: Path) -> None:
    first = rows("here", [hit(f"t-{n}", n) for n in range(100)])
    ring = recent_writes.remember(b"", first)
    assert recent_writes.is_known(ring, first).all()
    other = rows("here", [hit("t-5", 105), hit("other", 7), hit("t-8", 8), hit(None, 9), hit("t-1", 10_001)])
    assert recent_writes.is_known(ring, other).tolist() == [False, False, True, False, False]
    assert not recent_writes.is_known(b"", first).any()
    assert not recent_writes.is_known(b"odd", first).any()
    later = recent_writes.remember(ring, rows("here", [hit("new", 10_003)]))
    assert np.flatnonzero(~recent_writes.is_known(later, first)).tolist() == [3]
