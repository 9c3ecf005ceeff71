"""A store follows an index that is made anew, restored, copied, changed amid a sync, or not there yet."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pytest

import mltasks
from live.made_up import TASKS, fill, remove
from live.proxy import Proxy
from live.server import Server
from mltasks import Cluster
from mltasks.opensearch.pagination import IN_FLIGHT
from mltasks.opensearch.response import Response
from mltasks.opensearch.retry_policy import RetryPolicy
from mltasks.store import manifest
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import open_transaction
from support.crashes import cluster_state, seen

FORM = ["task_id", "seq_no", "primary_term", "version", "state", "create_time", "last_update_time", "error", "response"]


def forms(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return the tasks so that two readings can be compared."""
    return tasks[FORM].sort_values("task_id", ignore_index=True)


def same(store: mltasks.Store, url: str) -> None:
    """Assert that a store holds exactly the tasks of a cluster, each in its newest form, and is whole."""
    found = mltasks.load(store)
    assert found["gone_time"].isna().all()
    pd.testing.assert_frame_equal(forms(found), forms(mltasks.load(url)))
    assert store.verify() == []


@pytest.fixture
def store(tmp_path: Path) -> mltasks.Store:
    return mltasks.Store(tmp_path / "history", step=100)


class Moving(Cluster):
    """A cluster on which something happens just before a certain search is answered; the first has the number 0."""

    def __init__(self, url: str, at: int, happens: Callable[[], object]) -> None:
        super().__init__(url)
        self.searches, self._at, self._happens = 0, at, happens

    def search(self, body: Mapping[str, Any]) -> Response:
        if self.searches == self._at:
            self._happens()
        self.searches += 1
        return super().search(body)


@pytest.mark.parametrize("at", range(12))
@pytest.mark.parametrize("what", ["written", "deleted"])
def test_whatever_happens_during_a_sync_the_next_one_knows_it(
    index: Server, store: mltasks.Store, what: str, at: int
) -> None:
    made = fill(index, 30)
    store.sync(index.url)
    more = fill(index, 5, seed=8)
    new: list[str] = []
    happens = {"written": lambda: new.extend(fill(index, 3, seed=9)), "deleted": lambda: remove(index, made[:3])}
    moving = Moving(index.url, at, happens[what])
    store.sync(moving)
    moving.close()
    assert moving.searches > 9
    if at >= moving.searches:
        happens[what]()
    found = store.sync(index.url)
    tasks = mltasks.load(store)
    assert sorted(tasks["task_id"]) == sorted([*made, *more, *new])
    assert found.missing == (3 if what == "deleted" else 0)
    assert store.verify() == []


def test_reconciling_reads_what_the_store_lacks_though_the_count_hides_it(index: Server, store: mltasks.Store) -> None:
    made = fill(index, IN_FLIGHT + 100)
    store = mltasks.Store(store.path)
    store.sync(index.url)
    forget(store, made[0])
    remove(index, made[1:2])  # one more there, one less: the count is right
    found = store.sync(index.url, reconcile=True)
    assert (found.new, found.gone, found.missing) == (1, 1, 0)
    tasks = mltasks.load(store).set_index("task_id")
    assert set(tasks.index) == set(made)
    assert list(tasks.index[tasks["gone_time"].notna()]) == [made[1]]


def test_what_could_not_be_read_is_said_once_and_stays_counted(index: Server, store: mltasks.Store) -> None:
    made = fill(index, 10)
    body = {"doc": {"create_time": 10**17, "state": "MOULTING"}}
    index.ask("POST", f"/{TASKS}/_update/{made[2]}?refresh=true", body)
    said = rf"create_time 1 \(task {made[2]}: .*; states that this version does not know .* MOULTING \(1\)"
    with pytest.warns(mltasks.TaskDataWarning, match=said):
        store.sync(index.url)
    fill(index, 5, seed=8)
    store.sync(index.url)
    assert mltasks.scan(store).context.unreadable == {"create_time": 1}


def make_index(server: Server, shards: int = 1) -> None:
    server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": shards, "number_of_replicas": 0}})


@pytest.mark.parametrize("tasks", [5, 80, 300])
def test_an_index_made_anew_is_noticed_and_no_history_is_lost(
    index: Server, store: mltasks.Store, tasks: int, tmp_path: Path
) -> None:
    before = fill(index, 80)
    assert not store.sync(index.url).anew
    index.ask("DELETE", f"/{TASKS}")
    make_index(index)
    after = fill(index, tasks, seed=8)
    found = store.sync(index.url)
    assert (found.anew, found.new, found.missing) == (True, tasks, 80)
    assert set(mltasks.load(store)["task_id"]) == {*before, *after}
    assert store.sync(index.url, reconcile=True).gone == 80
    present = mltasks.load(store)
    pd.testing.assert_frame_equal(forms(present[present["gone_time"].isna()]), forms(mltasks.load(index.url)))
    assert not store.sync(index.url).anew
    assert store.verify() == []


@pytest.mark.parametrize("written", [0, 3, 60])
def test_a_restored_snapshot_is_noticed_and_what_the_cluster_says_now_counts(
    index: Server, store: mltasks.Store, written: int
) -> None:
    made = fill(index, 60)
    snapshot(index, "PUT")
    index.ask("POST", f"/{TASKS}/_update/{made[5]}?refresh=true", {"doc": {"state": "CANCELLED"}})
    lost = fill(index, 20, seed=8)
    store.sync(index.url)
    index.ask("DELETE", f"/{TASKS}")
    snapshot(index, "POST", "/_restore")
    new = fill(index, written, seed=9)
    found = store.sync(index.url)
    assert (found.anew, found.new, found.missing) == (True, written, 20)
    tasks = mltasks.load(store)
    assert set(tasks["task_id"]) == {*made, *lost, *new}
    there = tasks[~tasks["task_id"].isin(lost)]
    pd.testing.assert_frame_equal(forms(there), forms(mltasks.load(index.url)))
    assert store.verify() == []
    index.ask("DELETE", "/_snapshot/kept")


def snapshot(server: Server, method: str, action: str = "") -> None:
    if method == "PUT":
        settings = {"location": secrets.token_hex(4)}  # within path.repo
        server.ask("PUT", "/_snapshot/kept", {"type": "fs", "settings": settings})
    body = {"indices": TASKS, "include_global_state": False}
    server.ask(method, f"/_snapshot/kept/one{action}?wait_for_completion=true", body)


def test_an_index_copied_back_with_other_numbers_is_another_one(index: Server, store: mltasks.Store) -> None:
    made = fill(index, 70)
    remove(index, made[:30])
    store.sync(index.url)
    copy = "copied-tasks"
    reindex(index, TASKS, copy)
    index.ask("DELETE", f"/{TASKS}")
    make_index(index)
    reindex(index, copy, TASKS)
    more = fill(index, 100, seed=8)
    found = store.sync(index.url)
    assert (found.anew, found.new, found.updated, found.missing) == (True, 100, 40, 0)
    assert set(mltasks.load(store)["task_id"]) == {*made[30:], *more}
    same(store, index.url)
    index.ask("DELETE", f"/{copy}")


def reindex(server: Server, source: str, target: str) -> None:
    body = {"source": {"index": source}, "dest": {"index": target}}
    server.ask("POST", "/_reindex?refresh=true&wait_for_completion=true", body)


def test_an_index_of_several_shards_cannot_be_synced_and_that_is_said(
    bare_server: Server, store: mltasks.Store
) -> None:
    make_index(bare_server, shards=3)
    fill(bare_server, 20)
    with pytest.raises(mltasks.DataError, match=r"has 3 shards \(made before 2.13\).*read it with mltasks fetch"):
        store.sync(bare_server.url)
    bare_server.ask("DELETE", f"/{TASKS}")


def test_a_cluster_without_tasks_is_followed_from_its_first_one_on(bare_server: Server, store: mltasks.Store) -> None:
    assert store.sync(bare_server.url).tasks == 0
    assert store.sync(bare_server.url).tasks == 0
    assert len(mltasks.load(store)) == 0
    make_index(bare_server)
    fill(bare_server, 20)
    found = store.sync(bare_server.url)
    assert (found.new, found.anew) == (20, False)
    bare_server.ask("DELETE", f"/{TASKS}")
    found = store.sync(bare_server.url)
    assert (found.tasks, found.anew, found.missing) == (20, True, 20)
    assert not store.sync(bare_server.url).anew


def test_a_write_that_becomes_visible_later_than_any_overlap_is_found_by_the_count(
    index: Server, store: mltasks.Store
) -> None:
    made = fill(index, IN_FLIGHT + 100)
    store = mltasks.Store(store.path)
    store.sync(index.url)
    forget(store, made[0])
    fill(index, 1, seed=8)
    found = store.sync(index.url)
    assert (found.new, found.tasks, found.missing) == (2, IN_FLIGHT + 101, 0)
    same(store, index.url)


def forget(store: mltasks.Store, task_id: str) -> None:
    """Make a store as if one of its tasks had not been visible yet."""
    with open_transaction(store.path) as transaction:
        ((name, followed),) = _manifest(store).clusters.items()
        assert followed.published is not None
        files = []
        for file in followed.published.files:
            rows = transaction.layout.read(file)
            kept = rows.filter(pc.not_equal(rows["task_id"], task_id))
            same_file = kept.num_rows == file.rows
            files.append(file if same_file else transaction.layout.write(file.partition, kept, file.generation))
        transaction.commit(name, manifest.replace(followed.published, files=tuple(files)))


def _manifest(store: mltasks.Store) -> manifest.Manifest:
    found = manifest.read(store.path)
    assert found is not None
    return found


def test_a_first_sync_that_was_interrupted_after_page_75_goes_on_there(bare_server: Server, tmp_path: Path) -> None:
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1}})
    made = fill(bare_server, 22_400)
    store = mltasks.Store(tmp_path / "history", step=1000)

    def sync(proxy: Proxy) -> SyncResult:
        cluster = mltasks.Cluster(proxy.url, name="here", retry_policy=RetryPolicy(sleep=proxy.recover))
        try:
            return store.sync(cluster, mltasks.Access(page_size=280))
        finally:
            cluster.close()

    with Proxy(bare_server.url, "reset in the headers", at=76, for_ever=True) as proxy, pytest.raises(mltasks.Error):
        sync(proxy)
    reached = cluster_state(store.path, "here").in_progress
    assert reached is not None
    assert reached.rows >= 20_000
    with Proxy(bare_server.url) as proxy:
        done = sync(proxy)
    pages = (len(made) - reached.rows + IN_FLIGHT) // 280
    beside = 2 + 1  # the walk's closing proof, and the search for models
    assert pages <= proxy.searches <= pages + 10 + beside
    assert (done.resumed, done.new, done.tasks) == (True, len(made) - reached.rows, len(made))
    assert seen(store.path).keys() == set(made)
    bare_server.ask("DELETE", f"/{TASKS}")
