"""File systems that refuse what a store leans on: a store is possible, and says what is not guaranteed there."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import mltasks
from mltasks.cli.sync import describe
from mltasks.store.layout import LINKS_REFUSED
from mltasks.store.paths import NO_NAME
from support.documents import TRAINING, hit
from support.fake_cluster import FakeCluster, fake_cluster
from support.stores import put

NO_PROGRESS = mltasks.Access(progress=False)
NO_FOLDERS = "the file system syncs no folders: the last sync may be lost if the power goes"
NO_LOCKS = "the file system has no locks: let no other machine sync to it meanwhile"
NO_LINKS = "the file system refuses links: the partitions hold copies, which take space"


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as cluster:
        cluster.write("task-1", **TRAINING)
        yield cluster


def refuse_folders(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    fsync = os.fsync

    def refuse(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(file)

    monkeypatch.setattr(os, "fsync", refuse)


def refuse_links(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*places: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS], ids=errno.errorcode.get)
def test_a_file_system_that_syncs_no_folders_takes_a_store_and_says_so(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    refuse_folders(monkeypatch, code)
    store = mltasks.Store(tmp_path / "s")
    for _ in range(2):  # the second one finds nothing new
        result = store.sync(cluster.url, NO_PROGRESS)
        assert result.not_guaranteed == (f"{tmp_path / 's'}: {NO_FOLDERS}",)
        assert describe(result, "s")[-1] == result.not_guaranteed[0]
    assert store.verify() == []


@pytest.mark.parametrize("code", LINKS_REFUSED, ids=errno.errorcode.get)
def test_a_file_system_that_refuses_links_takes_a_store_and_says_so(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    refuse_links(monkeypatch, code)
    store = mltasks.Store(tmp_path / "s")
    assert store.sync(cluster.url, NO_PROGRESS).not_guaranteed == (f"{tmp_path / 's'}: {NO_LINKS}",)
    assert store.verify() == []
    assert list(pd.read_parquet(tmp_path / "s")["task_id"]) == ["task-1"]


def test_a_file_system_without_locks_takes_a_store_and_says_so_or_is_refused(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    store = mltasks.Store(tmp_path / "s")
    if int(metadata.version("filelock").partition(".")[0]) < 4:
        with pytest.raises(mltasks.WriteError, match="the file system has no locks"):
            store.sync(cluster.url, NO_PROGRESS)
    else:
        assert store.sync(cluster.url, NO_PROGRESS).not_guaranteed == (f"{tmp_path / 's'}: {NO_LOCKS}",)
        assert store.verify() == []


def test_where_all_is_kept_nothing_is_said(cluster: FakeCluster, tmp_path: Path) -> None:
    assert mltasks.Store(tmp_path / "s").sync(cluster.url, NO_PROGRESS).not_guaranteed == ()


def test_a_folder_whose_disk_fails_is_an_error(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_folders(monkeypatch, errno.EIO)
    with pytest.raises(mltasks.WriteError, match="cannot be written: Input/output error"):
        mltasks.Store(tmp_path / "s").sync(cluster.url, NO_PROGRESS)


def test_a_cluster_called_as_tools_call_what_has_no_name_keeps_its_name(tmp_path: Path) -> None:
    put(tmp_path / "s", NO_NAME, [hit("task-1", 1)])
    assert mltasks.Store(tmp_path / "s").verify() == []
    assert list(mltasks.load(tmp_path / "s")["cluster"]) == [NO_NAME]
    assert list(mltasks.failures(mltasks.scan(tmp_path / "s"), by="cluster")["cluster"]) == [NO_NAME]
    types = "hive_types={'cluster': VARCHAR, 'created': VARCHAR}"
    glob = f"SELECT cluster FROM read_parquet('{tmp_path}/s/cluster=*/*/*.parquet', {types})"
    assert duckdb.execute(glob).fetchall() == [(NO_NAME,)]


def test_a_store_of_a_version_that_wrote_that_name_plainly_is_read_and_goes_on(tmp_path: Path) -> None:
    put(tmp_path / "s", NO_NAME, [hit("task-1", 1)])
    for folder in (tmp_path / "s", tmp_path / "s" / "_files"):
        (folder / f"cluster=%5F{NO_NAME[1:]}").rename(folder / f"cluster={NO_NAME}")
    place = tmp_path / "s" / "_manifest.json"
    place.write_text(place.read_text("utf-8").replace(f"cluster=%5F{NO_NAME[1:]}", f"cluster={NO_NAME}"), "utf-8")
    assert mltasks.Store(tmp_path / "s").verify() == []
    put(tmp_path / "s", NO_NAME, [hit("task-1", 2, state="FAILED"), hit("task-2", 3)])
    assert mltasks.Store(tmp_path / "s").verify() == []
    tasks = mltasks.load(tmp_path / "s")
    assert sorted(zip(tasks["task_id"], tasks["state"], strict=True)) == [("task-1", "FAILED"), ("task-2", "COMPLETED")]
    assert set(tasks["cluster"]) == {NO_NAME}
