"""Files that are missing, cut or damaged: every sync says so, and `--repair` brings back what the cluster has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mltasks
from mltasks.cli.sync import describe
from mltasks.opensearch.pagination import now_ms
from mltasks.store import manifest
from support.documents import TRAINING
from support.fake_cluster import FakeCluster, fake_cluster
from support.stores import AS_OF, DAY

Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "missing": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
}
NO_PROGRESS = mltasks.Access(progress=False)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as cluster:
        for n in range(12):
            created = AS_OF - 40 * DAY * (n % 3)
            cluster.write(f"t-{n}", **{**TRAINING, "create_time": created, "last_update_time": created + 5})
        yield cluster


@pytest.fixture
def store(cluster: FakeCluster, tmp_path: Path) -> mltasks.Store:
    store = mltasks.Store(tmp_path / "history")
    assert store.sync(cluster.url, NO_PROGRESS).tasks == 12
    return store


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("is_quiet", [True, False])
def test_every_sync_notices_a_file_that_is_missing_or_cut(
    store: mltasks.Store, cluster: FakeCluster, damage: str, is_quiet: bool
) -> None:
    place = store.files()[1]
    DAMAGES[damage](place)
    before = manifest.read(store.path)
    if not is_quiet:
        cluster.write("new", **TRAINING)
    with pytest.raises(mltasks.DataError, match=f"{place.name}: .*; put back a copy of it, or mltasks sync --repair"):
        store.sync(cluster.url, NO_PROGRESS)
    assert manifest.read(store.path) == before


@pytest.mark.parametrize("damage", [*DAMAGES.values(), flip])
def test_a_repair_sets_a_file_aside_and_reads_its_tasks_again(
    store: mltasks.Store, cluster: FakeCluster, damage: Damage
) -> None:
    before = mltasks.load(store).sort_values("task_id", ignore_index=True)
    place = store.files()[1]
    damage(place)
    left = place.read_bytes() if place.exists() else None
    result = store.sync(cluster.url, NO_PROGRESS, repair=True)
    assert (result.tasks, result.new, result.recovered, result.lost) == (12, 0, 4, 0)
    assert result.damaged == (str(place.relative_to(store.path / "_files")),)
    aside = store.path / "_damaged" / result.damaged[0]
    assert (aside.read_bytes() if aside.exists() else None) == left
    assert store.verify() == []
    assert mltasks.load(store).sort_values("task_id", ignore_index=True).equals(before)
    lines = describe(result, "history")
    assert lines[-1].endswith(": 1 damaged file was set aside in history/_damaged; 4 tasks read again, none is lost")


def test_a_repair_says_what_is_lost_for_good(store: mltasks.Store, cluster: FakeCluster) -> None:
    place = store.files()[0]
    gone = sorted(mltasks.load(store, until=AS_OF + 1)["task_id"])
    place.unlink()
    in_file = [task_id for task_id in gone if int(task_id[2:]) % 3 == int(_residue(place))]
    del cluster.hits[in_file[0]]
    cluster.write("new", **{**TRAINING, "create_time": now_ms() + 60_000})
    result = store.sync(cluster.url, NO_PROGRESS, repair=True)
    assert (result.new, result.recovered, result.lost, result.tasks) == (1, 3, 1, 12)
    assert "3 tasks read again, 1 task lost: the cluster has it no longer" in describe(result, "history")[-1]
    assert store.verify() == []


def _residue(place: Path) -> int:
    months = {"2025-11": 0, "2025-10": 1, "2025-09": 2}
    return months[place.parent.name.removeprefix("created=")]


def test_a_damaged_file_is_not_made_into_another_one(store: mltasks.Store, cluster: FakeCluster) -> None:
    for place in store.files():
        flip(place)
    cluster.write("t-0", **{**TRAINING, "create_time": AS_OF, "state": "FAILED"})
    damaged = r"its bytes are not those that were written|CRC|checksum|its columns are not"
    with pytest.raises(mltasks.DataError, match=damaged):
        store.sync(cluster.url, NO_PROGRESS)
    assert len(store.verify()) == 3
    result = store.sync(cluster.url, NO_PROGRESS, repair=True)
    assert (result.tasks, len(result.damaged), result.lost) == (12, 3, 0)
    assert store.verify() == []


def test_a_repair_of_a_whole_store_changes_nothing(store: mltasks.Store, cluster: FakeCluster) -> None:
    files = store.files()
    result = store.sync(cluster.url, NO_PROGRESS, repair=True)
    assert (result.damaged, result.recovered, result.lost, result.tasks) == ((), 0, 0, 12)
    assert store.files() == files
