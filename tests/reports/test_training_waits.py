"""Wait and run of trainings in `durations`: the real ones, a queue worked by hand, made-up ones against a loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.reports import report_info, training_waits
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo
from support import stored
from support.generated import AS_OF, Made, life, made

SECOND = 1000
COLUMNS = ["wait_s", "run_s", "wait_share"]
UNKNOWN = "wait and run are not known: "


def told(size: int = 1, **more: Any) -> ClusterInfo:
    fields: dict[str, Any] = {"cluster": "east", "as_of_ms": AS_OF, "train_pool_size": {"n-1": size}}
    return ClusterInfo(**fields | more)


def both(tasks: Made, **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    expected = mltasks.durations(tasks.pandas(), **options)
    found = mltasks.durations(tasks.dataset(), **options)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    assert found.attrs == expected.attrs
    return expected


def real() -> pd.DataFrame:
    """Return the real tasks, and that one training runs at once on each node, as it was."""
    tasks = mltasks.load("demo")
    context = metadata.read_attrs(tasks.attrs)
    assert context is not None
    (info,) = context.readings
    pools = dict.fromkeys(info.nodes or {}, 1)
    known = metadata.replace(context, readings=(msgspec.structs.replace(info, train_pool_size=pools),))
    tasks.attrs = {metadata.KEY: known.to_json()}
    return tasks


def test_three_quarters_of_the_time_of_the_real_trainings_was_waiting() -> None:
    table = mltasks.durations(real(), by="task_type").set_index("task_type")
    assert table.loc["TRAINING", "wait_share"] == pytest.approx(694.5 / 914.3, abs=1e-4)
    assert table.drop(index="TRAINING")[COLUMNS].isna().all(axis=None)
    said = "3 trainings ran out of the order of creation: their run is taken as 0"
    assert said in report_info.read_info(table).notes
    table = mltasks.durations(real(), by=[], function_name="logistic_regression", task_type="TRAINING")
    (row,) = table.to_dict("records")
    assert (row["measured"], row["p50_s"]) == (59, pytest.approx(11.803))
    assert (row["wait_s"], row["run_s"]) == (pytest.approx(9.235), pytest.approx(1.925))


def test_without_the_pools_nothing_is_known_and_a_note_says_so() -> None:
    table = mltasks.durations("demo")
    assert table[COLUMNS].isna().all(axis=None)
    assert f"{UNKNOWN}how many threads train on a node was not read" in report_info.read_info(table).notes


def queue(size: int = 1, **fields: Any) -> Made:
    """Return three trainings created at 0, 1 and 2 s that end at 10, 20 and 30 s, and one long after them."""
    times = [(0, 10), (1, 20), (2, 30), (100, 105)]
    return made(
        *({**life((200 - begin) * SECOND, (200 - end) * SECOND), **fields} for begin, end in times),
        readings=(told(size),),
    )


@pytest.mark.parametrize(
    ("size", "wait", "run", "share"),
    [(1, 4.5, 10.0, 27 / 62), (2, 0.0, 14.5, 8 / 62), (3, 0.0, 14.5, 0.0)],
)
def test_a_queue_worked_by_hand(size: int, wait: float, run: float, share: float) -> None:
    (row,) = both(queue(size), by=[]).to_dict("records")
    assert [row[name] for name in COLUMNS] == pytest.approx([wait, run, share])


def test_what_a_filter_of_the_report_leaves_out_has_held_the_thread_all_the_same() -> None:
    tasks = queue()
    tasks.rows[0]["function_name"] = "OTHER"
    (row,) = both(tasks, by=[], function_name="kmeans").to_dict("records")
    assert (row["measured"], row["wait_s"], row["run_s"]) == (3, 9.0, 10.0)


def test_what_a_filter_left_out_when_they_were_read_makes_it_unknown() -> None:
    loaded = mltasks.load(queue().pandas(), function_name="KMEANS")
    table = mltasks.durations(loaded, by=[])
    assert table[COLUMNS].isna().all(axis=None)
    said = f"{UNKNOWN}function_name has left out other trainings of the nodes; group by it, or leave it out"
    assert said in report_info.read_info(table).notes


def test_a_rejected_training_held_no_thread_and_a_failed_one_did() -> None:
    shares = []
    for error in ("rejected execution of X on Y", "no such index [x]"):
        tasks = queue()
        tasks.rows[1] |= {"state": "FAILED", "error": error}
        shares += both(tasks, by=[])["wait_share"].tolist()
    assert shares == pytest.approx([8 / 43, 18 / 43])  # the third waits for the first, or for the second


def test_more_trainings_than_are_put_in_order_are_unknown_and_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_waits, "MOST", 3)
    table = both(queue(), by=[])
    assert table[COLUMNS].isna().all(axis=None)
    said = f"{UNKNOWN}4 trainings are more than 3; choose a shorter time when reading them, by since"
    assert said in report_info.read_info(table).notes


def test_by_period_and_node_and_in_a_store(tmp_path: Path) -> None:
    tasks = stored.of_stores(queue())
    expected = both(tasks, by="worker_node,cluster,task_id", every="1h")
    assert expected["wait_s"].tolist() == [0.0, 9.0, 18.0, 0.0]
    in_store = mltasks.durations(stored.dataset(tasks, tmp_path), by="worker_node,cluster,task_id", every="1h")
    pd.testing.assert_frame_equal(in_store, expected)


lives = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from(["n-1", "n-2", "w-9"])), max_size=12)


@given(lives, st.integers(1, 2))
@settings(max_examples=5, deadline=None)
def test_each_wait_is_what_a_loop_over_the_queue_finds(trainings: list[tuple[int, int, str]], size: int) -> None:
    readings = (told(size), told(cluster="west", train_pool_size={"w-9": 1}))
    tasks = made(
        *(
            {
                **life((100 - begin) * SECOND, (100 - begin - lasted) * SECOND),
                "worker_node": [node],
                "cluster": "west" if node == "w-9" else "east",
            }
            for begin, lasted, node in trainings
        ),
        readings=readings,
    )
    expected: dict[str, float] = {}
    for node, threads in (("n-1", size), ("w-9", 1)):
        mine = [(begin, begin + lasted, f"task-{n}") for n, (begin, lasted, at) in enumerate(trainings) if at == node]
        ends: list[int] = []
        for begin, end, task_id in sorted(mine):
            latest = sorted(ends, reverse=True)
            free = latest[threads - 1] if len(latest) >= threads else begin
            expected[task_id] = float(max(begin, free) - begin)
            ends.append(end)
    table = both(tasks, by="task_id").set_index("task_id")
    assert table["wait_s"].dropna().to_dict() == expected
