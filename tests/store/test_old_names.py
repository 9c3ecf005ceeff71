"""Stores of older versions, whose clusters are named by the address as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mltasks
from mltasks.opensearch.client import Cluster
from mltasks.store.stored_name import keep_name
from mltasks.store.transaction import open_transaction
from support.documents import hit
from support.stores import put
from support.stub_cluster import StubCluster


@pytest.mark.parametrize("name", ["LOCALHOST:{port}", "localhost:{port}"])
def test_a_store_goes_on_under_the_name_that_it_has(tmp_path: Path, name: str) -> None:
    with StubCluster({"new": 1}) as server:
        stored = name.format(port=server.server_address[1])
        put(tmp_path / "history", stored, [hit("old", 1)])
        done = mltasks.Store(tmp_path / "history").sync(f"http://{stored}")
    assert done.cluster == stored
    assert set(mltasks.load(tmp_path / "history")["cluster"]) == {stored}


@pytest.mark.parametrize("stored", ["bücher.example:443", "xn--bcher-kva.example:443"])
@pytest.mark.parametrize("written", ["https://bücher.example", "https://xn--bcher-kva.example"])
def test_a_host_with_an_umlaut_goes_on_under_the_name_that_the_store_has(
    tmp_path: Path, stored: str, written: str
) -> None:
    put(tmp_path / "history", stored, [hit("old", 1)])
    with open_transaction(tmp_path / "history") as transaction:
        assert keep_name(Cluster(written), transaction, is_redacted=False).name == stored


def test_a_host_that_has_two_names_in_a_store_goes_on_under_that_as_it_is_written(tmp_path: Path) -> None:
    names = ("bücher.example:443", "xn--bcher-kva.example:443")
    for name in names:
        put(tmp_path / "history", name, [hit("old", 1)])
    with open_transaction(tmp_path / "history") as transaction:
        for name in names:
            assert keep_name(Cluster(f"https://{name}"), transaction, is_redacted=False).name == name


@pytest.fixture
def proxy() -> Iterator[StubCluster]:
    """Return a host with two clusters behind it: /search with 7 tasks, /other with 5."""
    numbers = {"/search": {f"s{n}": n for n in range(7)}, "/other": {f"o{n}": n for n in range(5)}}
    with StubCluster({}) as host:
        host.behind = {path: StubCluster(tasks) for path, tasks in numbers.items()}
        yield host
        for cluster in host.behind.values():
            cluster.server_close()


def test_two_clusters_behind_one_host_are_followed_each_by_itself(tmp_path: Path, proxy: StubCluster) -> None:
    store = mltasks.Store(tmp_path / "history")
    for new, asked in ((True, None), (False, 1), (False, 1)):
        for path, count in (("/search", 7), ("/other", 5)):
            proxy.behind[path].asked.clear()
            done = store.sync(proxy.url + path)
            assert done.cluster == proxy.url.removeprefix("http://") + path
            assert (done.new, done.updated, done.anew, done.tasks) == (count if new else 0, 0, False, count)
            assert asked in (None, len(proxy.behind[path].asked))
    for path in ("/search", "/other"):
        done = store.sync(proxy.url + path, reconcile=True)
        assert (done.gone, done.missing, done.updated) == (0, 0, 0)
    assert mltasks.load(store.path)["gone_time"].isna().all()


def test_an_old_name_without_a_path_is_that_of_the_cluster_whose_tasks_the_store_has(
    tmp_path: Path, proxy: StubCluster
) -> None:
    host = proxy.url.removeprefix("http://")
    store = mltasks.Store(tmp_path / "history")
    store.sync(Cluster(f"{proxy.url}/search", name=host))  # as an older version named it
    for _ in range(2):
        assert store.sync(f"{proxy.url}/other", reconcile=True).cluster == f"{host}/other"
        done = store.sync(f"{proxy.url}/search", reconcile=True)
        assert (done.cluster, done.new, done.updated, done.gone, done.anew) == (host, 0, 0, 0, False)
    assert mltasks.load(store.path).groupby("cluster").size().to_dict() == {host: 7, f"{host}/other": 5}
