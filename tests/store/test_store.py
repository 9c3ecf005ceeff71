from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import mltasks
from mltasks.store import manifest
from mltasks.store.manifest import ClusterState, Manifest, Snapshot
from mltasks.store.transaction import open_transaction
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Node
from support.documents import hit
from support.stores import AS_OF, DAY, put

NAMES = ("007", "a/b", "1e5", "a=b", "100%", "ä", "true", "null", "2024-01-01", "..", "it's", 'q"q', "", "*", "prod eu")
DOCS = Path(__file__).parents[2] / "docs" / "store.md"
HIVE = pa.schema([("cluster", pa.string()), ("created", pa.string())])


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A store of two clusters, with 5 and 3 tasks, after a few changes."""
    folder = tmp_path / "history"
    put(folder, "east", [hit(f"e-{n}", n, create_time=AS_OF - 40 * DAY * (n % 2)) for n in range(4)])
    put(folder, "west", [hit(f"w-{n}", n) for n in range(3)])
    put(folder, "east", [hit("e-1", 9, create_time=AS_OF, state="FAILED"), hit("e-4", 10, create_time=AS_OF)])
    return folder


def ids(tasks: pd.DataFrame) -> list[str]:
    return sorted(tasks["task_id"])


EVERY = ["e-0", "e-1", "e-2", "e-3", "e-4", "w-0", "w-1", "w-2"]


def test_a_cluster_keeps_its_name_whatever_it_looks_like(tmp_path: Path) -> None:
    for name in NAMES:
        put(tmp_path / "s", name, [hit("task-1", 1)])
    assert sorted(mltasks.load(tmp_path / "s")["cluster"]) == sorted(NAMES)
    found = mltasks.durations(mltasks.scan(tmp_path / "s"), by="cluster")
    assert sorted(found["cluster"]) == sorted(NAMES)
    assert set(found["completed"]) == {1}
    for name in NAMES:
        assert list(mltasks.load(tmp_path / "s", cluster=name)["cluster"]) == [name]


def test_every_reader_finds_each_task_once_in_its_newest_form(history: Path) -> None:
    tasks = mltasks.load(history)
    assert ids(tasks) == EVERY
    assert tasks.set_index("task_id").loc["e-1", "outcome"] == "failed"
    for found in (mltasks.load(mltasks.Store(history)), mltasks.load([history])):
        pd.testing.assert_frame_equal(found, tasks)


def test_reports_take_a_store_as_any_source(history: Path) -> None:
    expected = mltasks.failures(mltasks.load(history), by="cluster")
    found = mltasks.failures(mltasks.scan(str(history)), by="cluster")
    pd.testing.assert_frame_equal(found, expected)
    assert list(found["tasks"]) == [5, 3]
    assert ids(mltasks.get(history, ["w-1", "e-4"])) == ["e-4", "w-1"]


def test_a_bare_glob_finds_what_the_store_has(history: Path) -> None:
    glob = f"{history}/**/*.parquet"
    names = "hive_types={'cluster': VARCHAR, 'created': VARCHAR}"
    query = f"SELECT task_id, cluster, created FROM read_parquet('{glob}', {names}) ORDER BY 1"
    rows = duckdb.execute(query).fetchall()
    assert [row[0] for row in rows] == EVERY
    assert rows[1] == ("e-1", "east", "2025-11")
    frame = pd.read_parquet(history)
    assert ids(frame) == EVERY
    arrow = ds.dataset(history, partitioning=ds.partitioning(HIVE, flavor="hive")).to_table()
    assert sorted(arrow["task_id"].to_pylist()) == EVERY
    assert sorted(set(arrow["cluster"].to_pylist())) == ["east", "west"]


@pytest.mark.parametrize("line", re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[0].splitlines())
def test_the_code_of_the_documentation_finds_every_task(
    history: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(history.parent)
    found = eval(line, {"duckdb": duckdb, "pandas": pd, "pyarrow": pa})
    if isinstance(found, ds.Dataset):
        found = found.to_table().to_pandas()
    elif isinstance(found, duckdb.DuckDBPyRelation):
        found = found.df()
    assert ids(found) == EVERY


def test_the_files_of_a_store_are_data_for_any_tool(history: Path) -> None:
    files = [str(path) for path in mltasks.Store(history).files()]
    assert sorted(duckdb.read_parquet(files).to_arrow_table()["task_id"].to_pylist()) == EVERY
    assert ids(pd.concat([pd.read_parquet(path) for path in files])) == EVERY


def an_hour_later(store: Path) -> None:
    """Make a store as if all that was replaced had been replaced an hour ago."""
    current = manifest.read(store)
    assert current is not None
    replaced = {path: at - 3_600_000 for path, at in current.replaced.items()}
    manifest.write(store, Manifest(clusters=current.clusters, replaced=replaced))


def test_the_files_of_the_state_before_stay_for_an_hour(history: Path) -> None:
    before = mltasks.scan(history)
    files = mltasks.Store(history).files()
    put(history, "west", [hit("w-1", 50, state="FAILED")])
    assert all(path.exists() for path in files)
    assert list(mltasks.failures(before, by=[])["failed"]) == [1]
    assert list(mltasks.failures(mltasks.scan(history), by=[])["failed"]) == [2]
    put(history, "west", [hit("w-2", 51, state="FAILED")])
    put(history, "west", [])
    assert list(mltasks.failures(before, by=[])["failed"]) == [1]
    an_hour_later(history)
    put(history, "east", [])
    assert all(path.exists() for path in files)
    put(history, "west", [])
    assert not all(path.exists() for path in files)
    with pytest.raises(mltasks.DataError, match="was it replaced or removed meanwhile, run the report again"):
        mltasks.failures(before, by=[])


def test_only_finished_states_are_seen(history: Path) -> None:
    with open_transaction(history) as transaction:
        state = transaction.state("west").published
        assert state is not None
        transaction.checkpoint("west", manifest.replace(state, files=()))
        transaction.checkpoint("north", Snapshot(cursor=4))
    assert ids(mltasks.load(history)) == EVERY
    assert mltasks.Store(history).verify() == []


def test_a_cluster_whose_first_sync_has_not_ended_is_named_beside_the_others(history: Path) -> None:
    with open_transaction(history) as transaction:
        transaction.checkpoint("north", Snapshot(cursor=4))
    said = "none of the tasks of north is here: its first sync has not come to its end"
    assert mltasks.scan(history).context.notes == (f"{history}: {said}",)
    assert mltasks.Store(history).holds().endswith(f"; {said}")


def test_an_open_task_that_was_found_gone_is_no_load_from_then_on(tmp_path: Path) -> None:
    created = AS_OF - 5000
    agent = hit(
        "task-1", 1, task_type="AGENT_EXECUTION", state="RUNNING", create_time=created, last_update_time=created
    )
    state = put(tmp_path / "s", "here", [agent])
    with open_transaction(tmp_path / "s") as transaction:
        (file,) = state.files
        gone = pa.array([AS_OF - 1000], pa.int64()).cast(pa.timestamp("ms", "UTC"))
        rows = transaction.layout.read(file)
        rows = rows.set_column(rows.schema.get_field_index("gone_time"), "gone_time", gone)
        files = (transaction.layout.write(file.partition, rows, file.generation),)
        transaction.commit("here", manifest.replace(state, files=files))
    for tasks in (mltasks.scan(tmp_path / "s"), mltasks.load(tmp_path / "s")):
        assert mltasks.workers(tasks)["task_s"].tolist() == [4.0]


def test_a_file_that_is_gone_or_damaged_is_an_error_that_names_it(history: Path) -> None:
    place = mltasks.Store(history).files()[0]
    place.write_bytes(b"PAR1")
    with pytest.raises(mltasks.DataError, match=f"{place.name}.*mltasks verify tells more"):
        mltasks.failures(mltasks.scan(history))
    with pytest.raises(mltasks.DataError, match=f"{place.name}.*mltasks verify tells more"):
        mltasks.load(history)
    place.unlink()
    with pytest.raises(mltasks.DataError, match=f"{place.name}.*mltasks verify tells more"):
        mltasks.failures(mltasks.scan(history))


def test_a_first_sync_that_has_not_ended_is_an_error_and_no_smaller_answer(tmp_path: Path) -> None:
    with open_transaction(tmp_path / "s") as transaction:
        transaction.checkpoint("here", Snapshot(cursor=4))
    with pytest.raises(mltasks.DataError, match="the first sync has not come to its end; run it again"):
        mltasks.load(tmp_path / "s")


def test_what_a_killed_sync_has_left_is_swept_and_the_partitions_are_mended(history: Path) -> None:
    west = history / "_files" / "cluster=west" / "created=2023-11"
    (west / "0123456789abcdef.pq").write_bytes(b"half")
    (west / ".mltasks-1.part").write_bytes(b"half")
    (history / ".mltasks-2.part").write_bytes(b"half")
    next((history / "cluster=west").rglob("*.parquet")).unlink()
    (history / "cluster=west" / "created=2023-11" / "0123456789abcdef.parquet").write_bytes(b"old")
    assert len(mltasks.Store(history).verify()) == 2
    put(history, "west", [])
    assert mltasks.Store(history).verify() == []
    assert [*history.rglob("*.part")] == []
    left = set((history / "_files" / "cluster=west").rglob("*.pq"))
    assert left == {path for path in mltasks.Store(history).files() if "cluster=west" in str(path)}


def test_a_partition_that_holds_nothing_any_more_is_gone(tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1, create_time=AS_OF - 40 * DAY)])
    put(tmp_path / "s", "here", [hit("task-1", 2, create_time=AS_OF)])
    an_hour_later(tmp_path / "s")
    put(tmp_path / "s", "here", [])
    assert [path.name for path in (tmp_path / "s").rglob("created=*")] == ["created=2025-11"] * 2


def test_nodes_that_have_left_keep_their_names(tmp_path: Path) -> None:
    before = ClusterInfo(cluster="here", as_of_ms=1, nodes={"n-1": Node("alpha"), "n-2": Node("beta")}, timeout_s=30)
    now = ClusterInfo(cluster="here", as_of_ms=2, nodes={"n-2": Node("beta-2"), "n-3": Node("gamma")})
    both = metadata.carry_forward(before, now)
    put(tmp_path / "s", "here", [hit("task-1", 1, worker_node=["n-1"])], both)
    workers = mltasks.workers(mltasks.scan(tmp_path / "s"))
    assert dict(zip(workers["worker_node"], workers["node_name"], strict=True)) == {
        "n-1": "alpha",
        "n-2": "beta-2",
        "n-3": "gamma",
    }


def test_what_a_user_may_not_ask_any_more_stays_known() -> None:
    before = ClusterInfo(
        cluster="here", as_of_ms=1, nodes={"n-1": Node("alpha")}, timeout_s=30, timeout_assumed=False, models={"m": "M"}
    )
    now = metadata.carry_forward(before, ClusterInfo(cluster="here", as_of_ms=2))
    assert now == ClusterInfo(
        cluster="here", as_of_ms=2, nodes={"n-1": Node("alpha")}, timeout_s=30, timeout_assumed=False, models={"m": "M"}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ('{"format": 2}', "of format 2; this version of mltasks knows 1"),
        ("[]", "cannot be read"),
        ('{"format": 1, "clusters": {"a": {"finished": 3}}}', "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_an_error(history: Path, text: str, words: str) -> None:
    (history / manifest.NAME).write_text(text)
    for call in (lambda: mltasks.load(history), lambda: put(history, "west", [])):
        with pytest.raises(mltasks.DataError, match=words):
            call()


def test_a_folder_of_something_else_is_not_made_a_store(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(mltasks.UsageError, match="is not a store and not empty"):
        put(tmp_path, "here", [])
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_where_files_cannot_be_linked_the_partitions_hold_copies(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*places: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    put(history, "west", [hit("w-3", 60)])
    assert mltasks.Store(history).verify() == []
    assert ids(pd.read_parquet(history)) == [*EVERY, "w-3"]


def test_unreadable_values_are_counted_in_the_store(tmp_path: Path) -> None:
    state = put(tmp_path / "s", "here", [hit("task-1", 1)])
    with open_transaction(tmp_path / "s") as transaction:
        transaction.commit("here", manifest.replace(state, unreadable={"create_time": 2}, samples={"create_time": "x"}))
    known = mltasks.scan(tmp_path / "s").context
    assert (known.unreadable, known.samples) == ({"create_time": 2}, {"create_time": "x"})


def test_a_report_says_what_was_deleted_on_a_cluster_and_which_was_synced_long_ago(tmp_path: Path) -> None:
    state = put(tmp_path / "s", "west", [hit("task-1", 1), hit("task-2", 2)])
    put(tmp_path / "s", "east", [hit("task-3", 1)], ClusterInfo(cluster="east", as_of_ms=AS_OF + 2 * DAY))
    with open_transaction(tmp_path / "s") as transaction:
        (file,) = state.files
        rows = transaction.layout.read(file)
        gone = pa.array([None, AS_OF], pa.int64()).cast(pa.timestamp("ms", "UTC"))
        marked = rows.set_column(rows.schema.get_field_index("gone_time"), "gone_time", gone)
        files = (transaction.layout.write(file.partition, marked, file.generation),)
        transaction.commit("west", manifest.replace(state, files=files))
    assert mltasks.scan(tmp_path / "s").context.notes == (
        f"{tmp_path / 's'}: 1 task of west deleted there, counted as last seen",
        f"{tmp_path / 's'}: west was synced last at 2025-11-24T16:00:00.000Z",
    )


def test_a_manifest_is_the_same_after_a_round_trip(history: Path) -> None:
    before = manifest.read(history)
    assert isinstance(before, Manifest)
    assert isinstance(before.clusters["east"], ClusterState)
    manifest.write(history, before)
    assert manifest.read(history) == before
