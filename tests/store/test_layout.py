"""What a sync removes from the folder of a store, and what it leaves to others."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import mltasks
from support.documents import hit
from support.stores import AS_OF, DAY, put

OLD, NEW = "cluster=here/created=2025-10", "cluster=here/created=2025-11"


@pytest.mark.parametrize(
    "name",
    [
        f"{OLD}/@eaDir/thumb",
        f"{OLD}/notes.txt",
        f"{OLD}/.DS_Store",
        "cluster=here/.DS_Store",
        "cluster=here/@eaDir/thumb",
        f"_files/{OLD}/@eaDir/thumb",
        f"_files/{OLD}/notes.txt",
        f"_files/{OLD}/mine.pq",
        "_files/cluster=here/.DS_Store",
        "_files/.DS_Store",
        "_files/a/b/thesis.txt",
        "_files/a/b/0123456789abcdef.pq",
        "a/b/0123456789abcdef.parquet",
        "created=2025-10/thesis.txt",
        ".DS_Store",
    ],
)
def test_what_is_not_ours_stops_no_sync_and_stays(tmp_path: Path, name: str) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1, create_time=AS_OF - 40 * DAY)])
    mine = tmp_path / "s" / name
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    put(tmp_path / "s", "here", [hit("task-1", 2, create_time=AS_OF)])  # to another month: the old one is empty then
    put(tmp_path / "s", "here", [])
    assert mine.read_text() == "mine"
    assert mltasks.Store(tmp_path / "s").files() == list((tmp_path / "s" / "_files").rglob(f"{NEW}/*.pq"))


@pytest.mark.parametrize("name", ["_files/a/b", "_files/cluster=here/a", "cluster=here/a", "a/b"])
def test_an_empty_folder_that_is_not_ours_stays(tmp_path: Path, name: str) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (tmp_path / "s" / name).mkdir(parents=True)
    put(tmp_path / "s", "here", [])
    assert (tmp_path / "s" / name).is_dir()
    assert mltasks.Store(tmp_path / "s").verify() == []


def test_a_file_system_without_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*places: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (data,) = (tmp_path / "s" / "_files").rglob("*.pq")
    (copy,) = (tmp_path / "s").rglob("*.parquet")
    assert (copy.read_bytes(), copy.samefile(data)) == (data.read_bytes(), False)


def test_any_other_trouble_with_a_link_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*places: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "here.parquet")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(mltasks.WriteError, match=r"here\.parquet: cannot be written: No space left on device"):
        put(tmp_path / "s", "here", [hit("task-1", 1)])
