from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.engines import dataset, operations, prepare, shared_results
from mltasks.engines import duckdb as duck
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import DataError, UsageError
from mltasks.reports import report_info
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context
from support import generated
from support.generated import AS_OF, DAY, HOUR, made

RUNNING = {"state": "RUNNING", "create_time": AS_OF - HOUR, "last_update_time": AS_OF - HOUR + 5}
UNKNOWN = (ClusterInfo(),)


def as_of(tasks: Any, **options: Any) -> tuple[int | None, bool]:
    said = report_info.read_info(mltasks.durations(tasks, **options))
    return said.as_of_ms, said.as_of_assumed


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_as_of_is_the_argument_else_the_readings(kind: str) -> None:
    tasks = getattr(made(RUNNING), kind)()
    assert as_of(tasks) == (AS_OF, False)
    assert as_of(tasks, as_of="30m") == (AS_OF - HOUR // 2, False)
    assert as_of(tasks, as_of="2025-03-08T02:00+01:00") == (AS_OF + 23 * HOUR, False)
    assert as_of(tasks, as_of=AS_OF + 1) == (AS_OF + 1, False)
    assert as_of(tasks, as_of=pd.Timestamp(AS_OF - 5, unit="ms", tz="UTC")) == (AS_OF - 5, False)


@pytest.mark.parametrize("kind", ["pandas", "arrow", "relation"])
def test_as_of_is_assumed_where_nothing_is_known_and_the_notes_say_so(kind: str) -> None:
    rows = made(RUNNING, {"create_time": AS_OF - DAY, "last_update_time": AS_OF - 3}).arrow
    tasks = {"arrow": rows, "pandas": rows.to_pandas(), "relation": duck.relation(rows)}[kind]
    assert as_of(tasks) == (AS_OF - 3, True)
    notes = report_info.read_info(mltasks.failures(tasks)).notes
    assert "as of 2025-03-07T01:59:59.997Z, which is assumed: the newest time in the data" in notes
    assert as_of(tasks, as_of=AS_OF) == (AS_OF, False)
    assert not [n for n in report_info.read_info(mltasks.failures(tasks, as_of=AS_OF)).notes if "assumed:" in n]


def test_as_of_of_a_selection_is_that_of_the_whole_load() -> None:
    tasks = mltasks.load("demo")
    assert as_of(tasks[tasks["state"] == "FAILED"]) == as_of(tasks)
    assert as_of(mltasks.load("demo", until="20m")) == as_of(tasks)


@pytest.mark.parametrize("report", [mltasks.durations, mltasks.failures, mltasks.workers])
def test_a_window_is_relative_to_as_of(report: Any) -> None:
    tasks = made({"create_time": AS_OF - 5 * HOUR}, {"create_time": AS_OF - 3 * HOUR}).pandas()
    assert report(tasks, by=[], since="4h")["tasks"].tolist() == [1]
    assert report(tasks, by=[], since="4h", as_of=AS_OF - 2 * HOUR)["tasks"].tolist() == [2]


@pytest.mark.parametrize("report", [mltasks.durations, mltasks.failures, mltasks.workers])
@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_as_of_before_the_newest_task_is_an_error_that_points_to_until(report: Any, kind: str) -> None:
    tasks = getattr(made({"create_time": AS_OF - 5 * HOUR}, {"create_time": AS_OF - HOUR}), kind)()
    report(tasks, as_of=AS_OF - HOUR)
    with pytest.raises(UsageError, match=r"as_of: .* is before the newest task, created .*Z; .* use until \(--until\)"):
        report(tasks, as_of=AS_OF - HOUR - 1, until="4h")


@pytest.mark.parametrize("tasks", [5, None, {"a"}, b"demo", pd.Series(["RUNNING"])], ids=lambda tasks: type(tasks))
def test_what_is_no_table_is_refused(tasks: Any) -> None:
    with pytest.raises(UsageError, match=r"cannot report on an object of type [A-Za-z]+; give what mltasks"):
        mltasks.workers(tasks)


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_a_table_of_something_else_is_refused(kind: str) -> None:
    other = pd.DataFrame({"a": [1]})
    with pytest.raises(DataError, match=r"holds no tasks: it has no column state and no create_time"):
        mltasks.durations(other if kind == "pandas" else pa.Table.from_pandas(other))


def test_a_parquet_file_read_by_others_holds_the_same_tasks(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks, path)
    for report in (mltasks.failures, mltasks.workers):
        expected = report(tasks, by="state", every="5min")
        for source in (pq.read_table(path), duckdb.read_parquet(str(path)), mltasks.scan(path)):
            pd.testing.assert_frame_equal(report(source, by="state", every="5min"), expected)


def habits(tasks: pd.DataFrame, tmp_path: Path) -> dict[str, pd.DataFrame]:
    tasks.to_csv(tmp_path / "t.csv", index=False)
    tasks.to_parquet(tmp_path / "t.parquet")
    return {
        "shuffled": tasks.sample(frac=1, random_state=1),
        "indexed twice alike": tasks.set_index(pd.Index([0] * len(tasks))),
        "indexed by a column": tasks.set_index("task_id"),
        "doubled": pd.concat([tasks, tasks]),
        "merged": tasks.merge(pd.DataFrame({"function_name": ["KMEANS"], "team": ["red"]}), how="left"),
        "from CSV": pd.read_csv(tmp_path / "t.csv"),
        "from Parquet": pd.read_parquet(tmp_path / "t.parquet"),
        "Arrow dtypes": tasks.convert_dtypes(dtype_backend="pyarrow"),
        "derived columns dropped": tasks.drop(columns=["outcome", "duration_s", "reason"]),
        "derived columns overwritten": tasks.assign(outcome="open", duration_s=9.0, failed_nodes="x"),
    }


def test_what_users_do_to_a_table_leaves_its_reports_as_they_were(tmp_path: Path) -> None:
    tasks = mltasks.load("demo")
    by = ["worker_node", "task_type", "reason"]
    expected = mltasks.workers(tasks, by=by).drop(columns="node_name").sort_values(by, ignore_index=True)
    for name, changed in habits(tasks, tmp_path).items():
        found = mltasks.workers(changed, by=by).drop(columns="node_name").sort_values(by, ignore_index=True)
        pd.testing.assert_frame_equal(found, expected, obj=name)


def test_an_untidy_list_of_nodes_in_an_arrow_table_is_tidied() -> None:
    rows = made({"worker_node": ["n-1", None, " n-2 ", "", "n-1"]}, {"worker_node": None}).arrow
    found = mltasks.workers(rows, as_of=AS_OF)
    assert found[["worker_node", "tasks"]].to_numpy().tolist() == [["n-1", 1], ["n-2", 1]]


def test_a_task_that_is_there_twice_in_an_arrow_table_counts_once_in_its_newest_form() -> None:
    tasks = made({"task_id": "a", "seq_no": 1, "state": "RUNNING"}, {"task_id": "a", "seq_no": 2, "state": "FAILED"})
    for rows in (tasks.arrow, tasks.arrow.to_pandas(), duck.relation(tasks.arrow)):
        found = mltasks.failures(rows, by="state", as_of=AS_OF)
        assert found[["state", "tasks"]].to_numpy().tolist() == [["FAILED", 1]]


def test_each_cluster_has_its_own_as_of_and_timeout() -> None:
    old = {"state": "RUNNING", "create_time": AS_OF - HOUR - 95_000, "last_update_time": AS_OF - HOUR}
    tasks = made(
        {**old, "cluster": "east"}, {**old, "cluster": "west"}, {**old, "cluster": "west", "create_time": AS_OF}
    )
    for source in (tasks.pandas(), tasks.dataset()):
        notes = report_info.read_info(mltasks.durations(source)).notes
        assert [note[:60] for note in notes] == ["2 open tasks overdue: open for longer than the time-out of i"]
        assert mltasks.workers(source, by="cluster", every="1mo").set_index("cluster")["task_s"].to_dict() == {
            "east": 600.0,  # in flight until the time-out of its cluster
            "west": 30.0,
        }


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_rows_are_repeated_for_each_number_in_their_range(kind: str) -> None:
    rows = pd.DataFrame({"x": ["a", "b", "c"], "first": [1, 5, 7], "last": [3, 4, 7]}, index=[4, 4, 9])
    native: Any = rows if kind == "pandas" else duck.relation(pa.Table.from_pandas(rows, preserve_index=False))
    found = operations.to_pandas(operations.explode_range(nw.from_native(native).lazy(), "first", "last", "n"))
    assert found[["x", "n"]].to_numpy().tolist() == [["a", 1], ["a", 2], ["a", 3], ["c", 7]]


def test_a_dataset_in_memory_is_the_rows_that_were_stored() -> None:
    rows = generated.made({}, {"state": "FAILED"}).arrow
    tasks = Dataset(duck.relation(rows), Context(source="here"))
    assert dataset.to_arrow(tasks).select(rows.column_names).to_pylist() == rows.to_pylist()


def test_filters_of_a_scan_and_of_a_report_hold_together_and_are_both_described() -> None:
    scanned = mltasks.scan("demo", task_type="TRAINING")
    found = mltasks.durations(scanned, function_name="KMEANS", by=["task_type", "function_name"])
    assert found[["task_type", "function_name"]].to_numpy().tolist() == [["TRAINING", "KMEANS"]]
    assert report_info.read_info(found).filters == {"task_type": ["training"], "function_name": ["kmeans"]}
    loaded = mltasks.load("demo", task_type="TRAINING")
    assert metadata.read_attrs(loaded.attrs) is not None
    by_both = mltasks.durations(loaded, function_name="KMEANS")
    pd.testing.assert_frame_equal(by_both, found)


@pytest.mark.parametrize("as_of", [None, "2026-12-24"])
def test_what_is_prepared_once_for_several_reports_is_what_each_would_get(as_of: str | None) -> None:
    tasks = mltasks.scan("demo")
    wanted = [(), ("error", "reason"), ("status_code",), ("end_ms", "model_id"), ("failed_nodes", "duration_s")]

    def prepare_all() -> list[pd.DataFrame]:
        frames = [
            prepare.prepare(tasks, by, {}, as_of=as_of, taken=(), wanted=names).frame
            for names in wanted
            for by in ("task_type", "worker_node", "")
        ]
        return [frame.collect("pandas").to_native() for frame in frames]

    alone = prepare_all()
    with shared_results.share_results():
        together = prepare_all()
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, other, check_categorical=False, check_dtype=False)
