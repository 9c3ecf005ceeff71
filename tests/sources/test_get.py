from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks

HITS: list[dict[str, Any]] = [
    {
        "_id": task_id,
        "_seq_no": n,
        "_source": {
            "task_type": "TRAINING",
            "state": "COMPLETED",
            "create_time": 1764021600000,
            "last_update_time": at,
        },
    }
    for n, (task_id, at) in enumerate([("-a", 1764021601000), ("_b", 1764021602000), ("c", 1764021603000)])
]


@pytest.mark.parametrize("ids", [["c", "-a"], ["-a", "_b", "c"], ["_b"], ["c", "c", "_b"]])
def test_tasks_come_in_the_order_of_their_ids_each_once(ids: list[str]) -> None:
    found = mltasks.get(HITS, ids)
    assert found["task_id"].tolist() == list(dict.fromkeys(ids))
    assert list(found.index) == list(range(len(found)))


def test_one_id_may_be_a_text_and_a_task_is_as_load_gives_it() -> None:
    loaded = mltasks.load(HITS)
    pd.testing.assert_frame_equal(mltasks.get(HITS, "_b"), loaded.iloc[[1]].reset_index(drop=True), check_flags=False)
    assert mltasks.get(HITS, "_b").attrs == loaded.attrs


def test_no_ids_are_no_tasks_with_the_same_columns() -> None:
    found = mltasks.get(HITS, [])
    assert (len(found), list(found.columns)) == (0, list(mltasks.load(HITS).columns))


def test_any_source_is_looked_up_in(tmp_path: Path) -> None:
    tasks = mltasks.load(HITS)
    mltasks.write_parquet(tasks, tmp_path / "t.parquet")
    for source in (tasks, tmp_path / "t.parquet", str(tmp_path / "t.parquet")):
        assert mltasks.get(source, "c")["duration_s"].tolist() == [3.0]


def test_an_id_in_two_clusters_is_two_tasks() -> None:
    tasks = mltasks.load(HITS)
    both = pd.concat([tasks.assign(cluster="one"), tasks.assign(cluster="two")])
    assert mltasks.get(both, ["c", "_b"])["task_id"].tolist() == ["c", "c", "_b", "_b"]


@pytest.mark.parametrize(
    ("source", "place"),
    [(HITS, "the list"), ("demo", "demo"), (mltasks.load(HITS), "the DataFrame")],
    ids=["hits", "demo", "frame"],
)
def test_ids_that_are_not_there_are_all_named_and_nothing_is_returned(source: Any, place: str) -> None:
    with pytest.raises(mltasks.UsageError) as caught:
        mltasks.get(source, ["c", "x", "y", "x"] if place != "demo" else ["x", "y"])
    assert str(caught.value) == f"{place}: there is no task x, y; list them with mltasks list"


def test_only_a_cluster_can_refresh() -> None:
    with pytest.raises(mltasks.UsageError, match="demo: only a cluster can refresh a task; leave out --refresh"):
        mltasks.get("demo", "x", refresh=True)
