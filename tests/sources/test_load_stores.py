"""Stores as sources: what a name means, and which of their files are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mltasks
from mltasks.engines.data_files import DataFiles
from mltasks.sources import load
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo
from support.documents import hit
from support.stores import AS_OF, DAY, put

OLD, NEW = AS_OF - 40 * DAY, AS_OF - DAY
CLOSED = "http://127.0.0.1:1"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A store with an old and a new task of one cluster, in two files, and a task of another one."""
    put(tmp_path / "history", "east", [hit("old", 1, create_time=OLD), hit("new", 2, create_time=NEW)])
    put(tmp_path / "history", "west", [hit("other", 1, create_time=NEW)])
    return tmp_path / "history"


def without(history: Path, created: str, cluster: str = "east") -> None:
    """Take a file away, so that whoever reads it fails."""
    folder = history / "_files" / f"cluster={cluster}" / f"created={created}"
    (file,) = (path for path in folder.iterdir() if path.suffix != ".ids")  # an index of ids beside it
    file.unlink()


READS: dict[str, Callable[..., Any]] = {
    "load": mltasks.load,
    "load of several": lambda source, **options: mltasks.load([source], **options),
    "load of a scan": lambda source, **options: mltasks.load(mltasks.scan(source), **options),
    "load of a scan with the filters": lambda source, **options: mltasks.load(mltasks.scan(source, **options)),
    "load of a store": lambda source, **options: mltasks.load(mltasks.Store(source), **options),
    "masked": lambda source, **options: mltasks.load(source, mltasks.Access(redact=True), **options),
    "a masked scan": lambda source, **options: mltasks.load(
        mltasks.scan(source, mltasks.Access(redact=True), **options)
    ),
}


@pytest.mark.parametrize("read", READS)
def test_files_that_hold_none_of_the_tasks_wanted_are_not_read(history: Path, read: str) -> None:
    without(history, "2025-10")
    assert READS[read](history, since="7d")["task_id"].tolist() == ["new", "other"]
    assert READS[read](history, cluster="WEST")["task_id"].tolist() == ["other"]


def test_a_window_before_the_newest_files_does_not_read_them(history: Path) -> None:
    without(history, "2025-11")
    assert mltasks.load(history, until=OLD + 1)["task_id"].tolist() == ["old"]


def test_a_fetch_of_a_store_reads_what_it_writes(history: Path, tmp_path: Path) -> None:
    without(history, "2025-10")
    assert mltasks.fetch(history, tmp_path / "new.parquet", since="7d").rows == 2


def test_what_is_known_of_a_store_stays_that_of_the_whole(history: Path) -> None:
    found = metadata.read_attrs(mltasks.load(history, until=OLD + 1, cluster="west").attrs)
    assert found is not None
    assert found.as_of_ms == AS_OF
    assert [reading.cluster for reading in found.readings] == ["east", "west"]


@pytest.mark.parametrize(
    ("options", "tasks"),
    [({}, 4), ({"since": "7d"}, 3), ({"cluster": "west"}, 1), ({"until": OLD + 1}, 1)],
)
def test_several_stores_are_one(history: Path, tmp_path: Path, options: dict[str, Any], tasks: int) -> None:
    put(tmp_path / "more", "north", [hit("new", 1, create_time=NEW)])
    both = mltasks.scan([history, tmp_path / "more"], **options)
    assert isinstance(both.frame, DataFiles)  # nothing was read
    assert mltasks.failures(both, by=[])["tasks"].tolist() == [tasks]
    assert len(mltasks.load([history, tmp_path / "more"], **options)) == tasks
    assert both.context.source == f"{history}, {tmp_path / 'more'}"


def test_two_stores_of_one_cluster_hold_each_task_once(history: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "east", [hit("new", 3, create_time=NEW, state="FAILED")])
    for tasks in (mltasks.scan([history, tmp_path / "more"]), mltasks.load([tmp_path / "more", history])):
        found = mltasks.failures(tasks, by="cluster")
        assert found[["cluster", "tasks", "failed"]].to_numpy().tolist() == [["east", 2, 1], ["west", 1, 0]]


def test_a_task_that_has_ended_by_one_store_is_not_in_flight_by_an_older_one(tmp_path: Path) -> None:
    running = hit("task-1", 1, create_time=OLD, last_update_time=OLD, state="RUNNING")
    put(tmp_path / "before", "east", [running], ClusterInfo(cluster="east", as_of_ms=OLD + 1000))
    put(tmp_path / "now", "east", [hit("task-1", 2, create_time=OLD, last_update_time=OLD + 5000)])
    for both in ([tmp_path / "before", tmp_path / "now"], [tmp_path / "now", tmp_path / "before"]):
        assert mltasks.workers(mltasks.scan(both, since=NEW))["tasks"].tolist() == []


def test_a_store_comes_before_a_configured_cluster_of_that_name(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    history.rename(tmp_path / "prod")
    assert len(mltasks.load("prod")) == 3
    (tmp_path / "mltasks.toml").write_text(f'[clusters.prod]\nurl = "{CLOSED}"\n')
    calls: list[Callable[[Any], Any]] = [
        mltasks.load,
        mltasks.scan,
        lambda name: mltasks.get(name, "new"),
        lambda name: mltasks.fetch(name, "t.parquet"),
    ]
    for call in calls:
        call("prod")  # what is there wins: a file of somebody else's must not send a password elsewhere
    for place in ("./prod", Path("prod"), mltasks.Store("prod")):
        assert len(mltasks.load(place)) == 3
        assert mltasks.failures(mltasks.scan(place), by=[])["tasks"].tolist() == [3]
        assert mltasks.get(place, "new")["cluster"].tolist() == ["east"]


def test_the_demo_comes_before_a_store_of_that_name(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    history.rename(tmp_path / "demo")
    assert (len(mltasks.load("demo")), len(mltasks.load("./demo"))) == (552, 3)
    assert mltasks.failures(mltasks.scan("demo"), by=[])["tasks"].tolist() == [552]


@pytest.mark.parametrize("read", [mltasks.load, mltasks.scan])
def test_a_query_names_the_store_that_takes_none(history: Path, read: Callable[..., Any]) -> None:
    for source in (history, mltasks.Store(history)):
        with pytest.raises(mltasks.UsageError, match=rf"^{str(history)[:60]}.*: a query is for clusters"):
            read(source, query={"match_all": {}})


def test_one_source_alone_is_not_read_to_be_put_together(history: Path) -> None:
    one = mltasks.scan(history)
    assert load.combine([one]) == one
