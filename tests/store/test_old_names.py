"""Stores of older versions, whose clusters are named by the address as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

import mltasks
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
