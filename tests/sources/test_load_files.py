from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.engines import dataset
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from mltasks.tasks import metadata
from support.documents import CREATED, answer, hit, page, write_lines

TASKS = [hit(f"task-{n}", n, create_time=CREATED + n, last_update_time=CREATED + 2 * n, own=n) for n in range(20)]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def parquet(folder: Path) -> Path:
    mltasks.write_parquet(mltasks.load(TASKS), folder / "t.parquet")
    return folder / "t.parquet"


LINES = "".join(json.dumps(one) + "\n" for one in TASKS).encode()
SOURCES: dict[str, Callable[[Path], Any]] = {
    "json": lambda folder: write(folder / "t.json", page(TASKS)),
    "ndjson": lambda folder: write(folder / "t.ndjson", LINES),
    "jsonl": lambda folder: write(folder / "t.jsonl", LINES),
    "ndjson.gz": lambda folder: write(folder / "t.ndjson.gz", gzip.compress(LINES)),
    "documents": lambda folder: write_lines(
        folder / "t.ndjson", [{**t["_source"], "task_id": t["_id"]} for t in TASKS]
    ),
    "parquet": parquet,
    "a path as text": lambda folder: str(parquet(folder)),
    "pandas": lambda folder: mltasks.load(TASKS),
    "arrow": lambda folder: pa.Table.from_pandas(mltasks.load(TASKS)),
    "an answer": lambda folder: answer(TASKS),
    "hits": lambda folder: TASKS,
    "hits, some twice": lambda folder: [*TASKS[:5], *TASKS],
    "dataset": lambda folder: mltasks.scan(TASKS),
    "dataset of a file": lambda folder: mltasks.scan(parquet(folder)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_gives_the_same_tasks(tmp_path: Path, kind: str) -> None:
    source = SOURCES[kind](tmp_path)
    expected = mltasks.load(TASKS)
    if kind == "documents":  # they do not know what belongs to the hit
        expected = expected.assign(
            **{name: pd.array([None] * 20, "Int64") for name in ("seq_no", "primary_term", "version")}
        )
    pd.testing.assert_frame_equal(mltasks.load(source), expected)
    found = mltasks.durations(mltasks.scan(source))
    pd.testing.assert_frame_equal(found, mltasks.durations(expected), check_flags=False)


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_takes_filters(tmp_path: Path, kind: str) -> None:
    source = SOURCES[kind](tmp_path)
    options: dict[str, Any] = {"since": CREATED + 5, "until": CREATED + 10, "state": "completed"}
    assert mltasks.load(source, **options)["task_id"].tolist() == [f"task-{n}" for n in range(5, 10)]
    assert mltasks.durations(mltasks.scan(source, **options))["tasks"].tolist() == [5]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("pandas", "hits"), ("arrow", "an Arrow table"), ("an answer", "an answer"), ("hits", "hits")),
        *((kind, None) for kind in ("json", "ndjson", "ndjson.gz", "parquet")),
    ],
)
def test_the_context_says_where_the_tasks_came_from_and_that_its_time_is_assumed(
    tmp_path: Path, kind: str, name: str | None
) -> None:
    source = SOURCES[kind](tmp_path)
    for found in (metadata.read_attrs(mltasks.load(source).attrs), mltasks.scan(source).context):
        assert found is not None
        assert found.source == (name or str(source))
        assert (found.as_of_ms, found.readings[0].as_of_assumed) == (CREATED + 38, True)


def test_the_demo_is_552_tasks_of_a_cluster_with_three_named_nodes() -> None:
    tasks = mltasks.load("demo")
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    assert (len(tasks), tasks["task_id"].nunique(), set(tasks["cluster"])) == (552, 552, {"ml-fixture"})
    assert sorted(ctx.names().values()) == ["n1", "n2", "n3"]
    assert ctx.unreadable == {}
    assert tasks.loc[tasks["outcome"] == "failed", "reason"].notna().all()


def test_relative_windows_count_from_the_time_of_the_data_not_from_now(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "t.ndjson", [hit("a", 1, create_time=CREATED), hit("b", 2, create_time=CREATED + 3_600_000)]
    )
    assert mltasks.load(path, since="30m")["task_id"].tolist() == ["b"]
    assert mltasks.load(mltasks.load(path), since="30m")["task_id"].tolist() == ["b"]


def test_a_filtered_file_keeps_the_time_of_the_whole(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "t.ndjson", TASKS)
    ctx = metadata.read_attrs(mltasks.load(path, until=CREATED + 1).attrs)
    assert ctx is not None
    assert ctx.as_of_ms == CREATED + 38


def test_a_load_warns_once_with_counts_and_a_sample_of_each_column(tmp_path: Path) -> None:
    broken = [hit(str(n), n, create_time="soon", is_async=n) for n in range(3)]
    path = write_lines(tmp_path / "t.ndjson", [*TASKS, *broken])
    for read in (mltasks.load, mltasks.scan):
        with pytest.warns(mltasks.TaskDataWarning) as caught:
            read(path)
        assert [str(one.message) for one in caught] == [
            f"{path}: values that could not be read are null and kept in the column extra: "
            "create_time 3 (task 0: 'soon'); is_async 3 (task 0: '0')"
        ]


def test_the_counts_stay_with_the_tasks_and_do_not_warn_again(tmp_path: Path) -> None:
    with pytest.warns(mltasks.TaskDataWarning):
        tasks = mltasks.load([hit(create_time="soon")])
    mltasks.write_parquet(tasks, tmp_path / "t.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = [mltasks.load(tasks), mltasks.load(tmp_path / "t.parquet")]
    for one in again:
        ctx = metadata.read_attrs(one.attrs)
        assert ctx is not None
        assert (ctx.unreadable, ctx.samples) == ({"create_time": 1}, {"create_time": "task task-1: 'soon'"})


def test_an_empty_source_is_an_empty_table_and_a_sentence() -> None:
    assert mltasks.load([]).shape == (0, len(mltasks.load("demo").columns))
    empty = mltasks.durations(mltasks.scan([]))
    assert len(empty) == 0
    assert report_info.read_info(empty).covers() == "0 tasks of hits: there is nothing to report (all)"


@pytest.mark.parametrize("kind", ["json", "ndjson", "parquet", "pandas", "hits"])
def test_a_query_is_for_clusters_only(tmp_path: Path, kind: str) -> None:
    source = SOURCES[kind](tmp_path)
    for read in (mltasks.load, mltasks.scan):
        with pytest.raises(
            UsageError, match=r"a query is for clusters; on a file use the filters, such as function_name"
        ):
            read(source, query={"match_all": {}})


@pytest.mark.parametrize("source", [None, 7, b"demo", object()])
def test_what_is_no_source_is_a_usage_error(source: Any) -> None:
    with pytest.raises(UsageError, match="cannot read tasks from a "):
        mltasks.load(source)


def test_a_parquet_file_of_ours_is_scanned_without_being_read(tmp_path: Path) -> None:
    scanned = mltasks.scan(parquet(tmp_path))
    assert isinstance(scanned, Dataset)
    assert scanned.context.rows == 20
    assert dataset.to_arrow(scanned).num_rows == 20


def test_a_state_that_nobody_knows_yet_is_kept_counted_as_open_and_warned_of() -> None:
    hits = [{"_id": str(n), "_source": {"state": state, "create_time": 1795557360402}} for n, state in enumerate("ABB")]
    with pytest.warns(mltasks.TaskDataWarning) as warned:
        tasks = mltasks.load([*hits, {"_id": "9", "_source": {"state": "FAILED", "create_time": 1795557360402}}])
    assert [str(one.message) for one in warned] == [
        "hits: states that this version does not know are counted as open: A (1), B (2)"
    ]
    assert list(tasks["state"]) == ["A", "B", "B", "FAILED"]
    assert list(tasks["outcome"]) == ["open", "open", "open", "failed"]


def test_what_a_file_was_fetched_with_stays_part_of_what_it_covers(tmp_path: Path) -> None:
    path = tmp_path / "trainings.parquet"
    mltasks.write_parquet(mltasks.load("demo", task_type="TRAINING", since="15m"), path)
    expected = {"since": "2026-11-24T22:00:10.637Z", "task_type": ["training"], "function_name": ["kmeans"]}
    for tasks in (mltasks.load(path, function_name="KMEANS"), mltasks.scan(path, function_name="KMEANS", since="1h")):
        assert report_info.read_info(mltasks.durations(tasks)).filters == expected


def test_a_rate_is_refused_for_a_file_that_holds_only_some_outcomes(tmp_path: Path) -> None:
    mltasks.write_parquet(mltasks.load("demo", state="FAILED"), tmp_path / "failed.parquet")
    with pytest.raises(
        mltasks.UsageError, match="failures does not take the filter state: it would change the failure rate"
    ):
        mltasks.failures(mltasks.scan(tmp_path / "failed.parquet"))


def test_a_list_of_frames_is_read_as_one() -> None:
    tasks = mltasks.load("demo", task_type="TRAINING")
    others = mltasks.load("demo", not_task_type="TRAINING")
    assert len(mltasks.load([tasks, others])) == 552
    assert mltasks.failures([tasks, others], by=[])["tasks"].tolist() == [552]
