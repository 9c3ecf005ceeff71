from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from mltasks.store import manifest, verify
from mltasks.store.layout import StoreLayout
from mltasks.store.manifest import ClusterState, Manifest, Snapshot
from mltasks.store.upsert import Upsert
from mltasks.tasks.metadata import ClusterInfo
from support.documents import hit
from support.stores import AS_OF, DAY, rows

MONTHS = (AS_OF - 70 * DAY, AS_OF - 40 * DAY, AS_OF, 5, AS_OF + 40 * DAY)


def stored(layout: StoreLayout, state: Snapshot) -> dict[str, tuple[int, str]]:
    """Return number and state of each task in the files; fails where one is there twice."""
    tables = [layout.read(file) for file in state.files]
    found = pa.concat_tables(tables).to_pylist() if tables else []
    tasks = {row["task_id"]: (row["seq_no"], row["state"]) for row in found}
    assert len(tasks) == len(found)
    return tasks


def wrong(layout: StoreLayout, state: Snapshot) -> list[str]:
    finished = Manifest(
        clusters={
            "here": ClusterState(published=manifest.replace(state, reading=ClusterInfo(cluster="here", as_of_ms=AS_OF)))
        }
    )
    layout.publish_links(state.files)
    return [problem.text for problem in verify.problems(layout, finished)]


WRITES = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(MONTHS), st.sampled_from(["RUNNING", "COMPLETED"])))


@settings(deadline=None, max_examples=12)
@given(st.lists(WRITES, max_size=5), st.integers(0, 8))
def test_whatever_is_written_each_task_is_there_once_in_its_newest_form(batches: list[Any], again: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout, state = StoreLayout(Path(folder)), Snapshot()
        newest: dict[str, tuple[int, str]] = {}
        log: list[dict[str, Any]] = []
        number = 0
        for batch in batches:
            coming = log[len(log) - again :]  # an overlap is read again, in the form that the index has by now
            for task, created, status in batch:
                written = hit(f"task-{task}", number, create_time=created, last_update_time=created + 5, state=status)
                newest[f"task-{task}"] = (number, status)
                coming.append(written)
                log.append(written)
                number += 1
            coming = [one for one in coming if newest[one["_id"]][0] == one["_seq_no"]]
            before = set(stored(layout, state))
            change = Upsert(layout, "here", AS_OF).add(state, rows("here", coming))
            assert change.new == len(set(newest) - before)
            state = change.state
            assert stored(layout, state) == newest
        assert wrong(layout, state) == []


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    hits = [hit(f"task-{n}", n) for n in range(20)]
    first = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", hits))
    again = Upsert(layout, "here", AS_OF).add(first.state, rows("here", hits))
    assert (again.new, again.updated) == (0, 0)
    assert again.state.files == first.state.files


def test_only_the_partition_that_changed_is_rewritten(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    hits = [hit(f"task-{n}", n, create_time=MONTHS[n % 3]) for n in range(30)]
    first = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", hits)).state
    changed = [hit("task-1", 40, create_time=MONTHS[1], state="FAILED")]
    change = Upsert(layout, "here", AS_OF).add(first, rows("here", changed))
    assert (change.new, change.updated) == (0, 1)
    same = set(change.state.files) & set(first.files)
    assert sorted(file.partition[-7:] for file in same) == ["2025-09", "2025-11"]
    assert stored(layout, change.state)["task-1"] == (40, "FAILED")


def test_a_task_whose_time_of_creation_changes_moves_to_its_month(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    first = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", [hit("task-1", 1, create_time=MONTHS[0])]))
    change = Upsert(layout, "here", AS_OF).add(first.state, rows("here", [hit("task-1", 2, create_time=MONTHS[2])]))
    assert [file.partition for file in change.state.files] == ["cluster=here/created=2025-11"]
    assert change.updated == 1


def test_an_implausible_time_of_creation_has_a_partition_of_its_own(tmp_path: Path) -> None:
    hits = [hit(f"task-{n}", n, create_time=t) for n, t in enumerate((5, AS_OF + 2 * DAY, None, AS_OF + DAY))]
    state = Upsert(StoreLayout(tmp_path), "here", AS_OF).add(Snapshot(), rows("here", hits)).state
    assert {file.partition: file.rows for file in state.files} == {
        "cluster=here/created=implausible": 3,
        "cluster=here/created=2025-11": 1,
    }


def test_a_later_index_wins_whatever_its_numbers_say(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    hits = [hit("lost", 900), hit("back", 901, state="COMPLETED"), hit("same", 3)]
    first = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", hits)).state
    anew = manifest.replace(first, generation=1, cursor=-1)
    coming = [hit("back", 2, state="RUNNING"), hit("same", 3), hit("new", 4)]
    change = Upsert(layout, "here", AS_OF).add(anew, rows("here", coming))
    assert (change.new, change.updated) == (1, 1)
    assert stored(layout, change.state) == {
        "lost": (900, "COMPLETED"),
        "back": (2, "RUNNING"),
        "same": (3, "COMPLETED"),
        "new": (4, "COMPLETED"),
    }


def test_a_file_that_this_reading_has_written_is_searched_for_late_writes_only(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    intake = Upsert(layout, "here", AS_OF, until=10)
    state = intake.add(Snapshot(), rows("here", [hit("task-1", 4), hit("task-2", 5)])).state
    change = intake.add(state, rows("here", [hit("task-1", 11, state="FAILED"), hit("task-3", 6)]))
    assert (change.new, change.updated) == (1, 1)
    assert stored(layout, change.state)["task-1"] == (11, "FAILED")


def test_what_is_read_again_is_found_in_the_files_of_an_interrupted_reading(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    state = (
        Upsert(layout, "here", AS_OF, until=10)
        .add(Snapshot(), rows("here", [hit("task-1", 4), hit("task-2", 5)]))
        .state
    )
    resumed = Upsert(layout, "here", AS_OF, after=5, until=10, own=[file.path for file in state.files])
    change = resumed.add(manifest.replace(state, cursor=5), rows("here", [hit("task-2", 5), hit("task-3", 6)]))
    assert (change.new, change.updated) == (1, 0)
    assert set(stored(layout, change.state)) == {"task-1", "task-2", "task-3"}


def test_a_hit_without_an_id_is_kept_and_not_taken_again_from_the_overlap(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    first = Upsert(layout, "here", AS_OF).add(Snapshot(), rows("here", [hit(None, 4)])).state
    again = Upsert(layout, "here", AS_OF).add(
        manifest.replace(first, cursor=4), rows("here", [hit(None, 4), hit(None, 5)])
    )
    assert again.state.rows == 2
