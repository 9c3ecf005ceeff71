"""A store follows a real cluster: for the price of what changed, and whatever becomes of the index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from live.made_up import TASKS, fill, remove
from live.proxy import Proxy
from live.server import Server
from live.writer import Writer
from mltasks import Access, Cluster
from support.command import Command
from support.fake_cluster import fake_cluster

SEARCH = "/_plugins/_ml/tasks/_search"
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


def data(folder: Path) -> dict[str, int]:
    """Return the data files in use, with the time of their last change."""
    return {str(path): path.stat().st_mtime_ns for path in mltasks.Store(folder).files()}


@pytest.fixture
def store(tmp_path: Path) -> mltasks.Store:
    return mltasks.Store(tmp_path / "history", step=100)


def test_a_first_sync_holds_what_the_cluster_has(quiet_cluster: Server, store: mltasks.Store) -> None:
    found = store.sync(quiet_cluster.url)
    same(store, quiet_cluster.url)
    assert (found.new, found.updated, found.missing, found.anew) == (found.tasks, 0, 0, False)


def test_nothing_changed_costs_one_request_and_no_data_file(quiet_cluster: Server, store: mltasks.Store) -> None:
    with Proxy(quiet_cluster.url) as proxy:
        cluster = Cluster(proxy.url, name="here")
        store.sync(cluster)
        before, files, searches = mltasks.scan(store).context, data(store.path), proxy.searches
        found = store.sync(cluster)
        assert proxy.searches == searches + 1
        cluster.close()
    assert (found.new, found.updated, found.missing) == (0, 0, 0)
    assert data(store.path) == files
    after = mltasks.scan(store).context
    assert after.as_of_ms is not None
    assert before.as_of_ms is not None
    assert after.as_of_ms > before.as_of_ms


def test_a_sync_takes_what_was_created_and_updated_since(quiet_cluster: Server, store: mltasks.Store) -> None:
    made = fill(quiet_cluster, 40)
    store.sync(quiet_cluster.url)
    files = data(store.path)
    more = fill(quiet_cluster, 7, seed=9)
    update = {"doc": {"state": "CANCELLED"}}
    quiet_cluster.ask("POST", f"/{TASKS}/_update/{made[3]}?refresh=true", update)
    found = store.sync(quiet_cluster.url)
    assert (found.new, found.updated) == (7, 1)
    same(store, quiet_cluster.url)
    assert mltasks.get(store, made[3])["state"].tolist() == ["CANCELLED"]
    kept = data(store.path).items() & files.items()
    assert kept, "the month of the real tasks did not change"
    remove(quiet_cluster, [*made, *more])


def test_what_was_deleted_on_the_cluster_stays_and_is_marked_when_it_is_asked_for(
    quiet_cluster: Server, store: mltasks.Store
) -> None:
    made = fill(quiet_cluster, 30)
    newest = fill(quiet_cluster, 1, seed=12)
    store.sync(quiet_cluster.url)
    remove(quiet_cluster, made)
    assert store.sync(quiet_cluster.url).missing == 30
    tasks = mltasks.load(store)
    assert set(made) <= set(tasks["task_id"])
    assert tasks["gone_time"].isna().all()
    found = store.sync(quiet_cluster.url, reconcile=True)
    assert (found.gone, found.missing) == (30, 0)
    tasks = mltasks.load(store).set_index("task_id")
    assert set(tasks.index[tasks["gone_time"].notna()]) == set(made)
    assert store.sync(quiet_cluster.url).missing == 0
    assert store.sync(quiet_cluster.url, reconcile=True).gone == 0
    assert store.verify() == []
    remove(quiet_cluster, newest)


def test_a_task_that_comes_back_is_not_gone_any_more(quiet_cluster: Server, store: mltasks.Store) -> None:
    made = fill(quiet_cluster, 3)
    newest = fill(quiet_cluster, 1, seed=12)
    store.sync(quiet_cluster.url)
    document = quiet_cluster.ask("GET", f"/{TASKS}/_doc/{made[0]}")["_source"]
    remove(quiet_cluster, made)
    assert store.sync(quiet_cluster.url, reconcile=True).gone == 3
    quiet_cluster.ask("PUT", f"/{TASKS}/_doc/{made[0]}?refresh=true", document)
    assert store.sync(quiet_cluster.url).missing == 0
    assert mltasks.get(store, made[0])["gone_time"].isna().all()
    assert mltasks.get(store, made[1])["gone_time"].notna().all()
    remove(quiet_cluster, [made[0], *newest])


def test_a_store_that_was_synced_under_a_writer_equals_the_cluster_in_the_end(
    quiet_cluster: Server, store: mltasks.Store
) -> None:
    access = Access(page_size=50)
    store.sync(quiet_cluster.url, access)
    with Writer(quiet_cluster) as writer:
        for changes in (60, 200, 400, 600):
            writer.wait_for(changes)
            store.sync(quiet_cluster.url, access)
    store.sync(quiet_cluster.url, access)
    store.sync(quiet_cluster.url, access, reconcile=True)
    tasks = mltasks.load(store)
    there = tasks[tasks["gone_time"].isna()]
    pd.testing.assert_frame_equal(forms(there), forms(mltasks.load(quiet_cluster.url)))
    assert set(tasks["task_id"]) >= writer.kept | writer.left
    assert store.verify() == []
    remove(quiet_cluster, writer.left)


def test_several_clusters_keep_to_themselves(quiet_cluster: Server, store: mltasks.Store) -> None:
    store.sync(Cluster(quiet_cluster.url, name="full"))
    with fake_cluster() as other:
        store.sync(Cluster(other.url, name="empty"))
    tasks = mltasks.load(store)
    assert set(tasks["cluster"]) == {"full"}
    assert len(tasks) == len(mltasks.load(quiet_cluster.url))
    assert [reading.cluster for reading in mltasks.scan(store).context.readings] == ["full", "empty"]


def test_all_configured_clusters_are_synced_one_failing_or_not(
    quiet_cluster: Server, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sections = {"down": "http://127.0.0.1:1", "up": quiet_cluster.url}
    text = "".join(f'[clusters.{name}]\nurl = "{url}"\n' for name, url in sections.items())
    (tmp_path / "mltasks").mkdir()
    (tmp_path / "mltasks" / "config.toml").write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ran = command("sync", "--all", "history")
    assert ran.code == 3
    failed, synced = ran.err.splitlines()
    assert failed.startswith("mltasks: http://127.0.0.1:1")
    count = len(mltasks.load(quiet_cluster.url))
    assert synced == f"up: {count:,} new; {count:,} tasks in history"
    assert command("sync", "up", "history").err == f"up: nothing new; {count:,} tasks in history\n"
    assert command("sync", "--quiet", "up", "history").err == ""
    assert command("verify", "history").code == 0
    rows: list[dict[str, Any]] = command("failures", "history", "--by", "cluster", "--format", "json").rows
    assert [(row["cluster"], row["tasks"]) for row in rows] == [("up", count)]
