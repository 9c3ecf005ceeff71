"""Stores of older versions, whose clusters are named by the address as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

import mltasks
from mltasks.opensearch.client import Cluster
from mltasks.store.store import keep_name
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
