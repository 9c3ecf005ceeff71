from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.exceptions import DataError, UsageError, WriteError
from mltasks.sources import parquet
from mltasks.tasks import arrow_schema, metadata
from mltasks.tasks.metadata import Context
from support.disk import full_disk
from support.documents import CREATED, hit


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


@pytest.fixture
def written(demo: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "tasks.parquet"
    mltasks.write_parquet(demo, path)
    return path


def test_a_file_has_the_types_of_the_schema_zstd_and_no_pandas_metadata(written: Path) -> None:
    with pq.ParquetFile(written) as file:
        assert file.schema_arrow.remove_metadata().equals(arrow_schema.SCHEMA)
        group = file.metadata.row_group(0)
        assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}
        assert file.metadata.num_rows == 552
        assert set(file.metadata.metadata) <= {b"mltasks", b"ARROW:schema"}


def test_the_context_travels_in_the_files_metadata(demo: pd.DataFrame, written: Path) -> None:
    columns, rows, found = parquet.read_footer(written)
    ctx = metadata.read_attrs(demo.attrs)
    assert ctx is not None
    assert found == metadata.replace(ctx, rows=552)
    assert (columns.names, rows) == (arrow_schema.SCHEMA.names, 552)


def test_what_was_written_loads_equal(demo: pd.DataFrame, written: Path) -> None:
    loaded = mltasks.load(written)
    assert {**json.loads(loaded.attrs["mltasks"]), "source": 0, "rows": 0} == {
        **json.loads(demo.attrs["mltasks"]),
        "source": 0,
        "rows": 0,
    }
    loaded.attrs = demo.attrs
    pd.testing.assert_frame_equal(loaded, demo)


def test_duckdb_and_pandas_read_the_same_values(demo: pd.DataFrame, written: Path) -> None:
    with duckdb.connect() as connection:
        sql = f"SELECT * REPLACE (epoch_ms(create_time) AS create_time) FROM '{written}'"
        in_duckdb = connection.sql(sql).to_arrow_table().to_pydict()
    in_pandas = pd.read_parquet(written)
    in_arrow = pq.read_table(written).to_pydict()
    assert in_duckdb["create_time"] == demo["create_time"].astype("int64").tolist()
    assert in_pandas["create_time"].equals(demo["create_time"])
    for name in ("task_id", "state", "worker_node", "error", "response", "duration_s", "failed_nodes", "seq_no"):
        assert in_duckdb[name] == in_arrow[name]
        assert [None if missing(v) else v for v in in_pandas[name].map(as_list)] == in_arrow[name]
    joined = [",".join(nodes) or None for nodes in in_arrow["worker_node"]]
    assert joined == [None if missing(v) else v for v in demo["worker_node"]]


def as_list(value: object) -> object:
    return value.tolist() if hasattr(value, "tolist") else value


def missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value


def test_no_task_makes_a_file_with_all_columns(tmp_path: Path) -> None:
    empty = mltasks.load([])
    mltasks.write_parquet(empty, tmp_path / "t.parquet")
    assert pq.read_schema(tmp_path / "t.parquet").remove_metadata().equals(arrow_schema.SCHEMA)
    assert mltasks.load(tmp_path / "t.parquet").dtypes.equals(empty.dtypes)


def test_own_columns_are_written_and_each_task_once(demo: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    mltasks.write_parquet(pd.concat([demo, demo[:100]]).assign(team="red", overdue="mine"), path)
    loaded = mltasks.load(path)
    assert (len(loaded), set(loaded["team"]), set(loaded["overdue"])) == (552, {"red"}, {"mine"})
    assert parquet.read_footer(path)[1] == 552


@pytest.mark.parametrize("rows", [slice(None), slice(10, 300, 3), slice(0, 0)])
def test_what_pandas_itself_has_written_loads_equal(demo: pd.DataFrame, tmp_path: Path, rows: slice) -> None:
    path = tmp_path / "t.parquet"
    demo[rows].to_parquet(path)
    loaded = mltasks.load(path)
    ctx = metadata.read_attrs(loaded.attrs)
    assert ctx is not None
    assert (ctx.as_of_ms, ctx.readings[0].cluster) == (1795558510637, "ml-fixture")
    loaded.attrs = demo.attrs
    pd.testing.assert_frame_equal(loaded, demo[rows].reset_index(drop=True))


def test_a_file_of_older_and_newer_forms_loads_each_task_once(tmp_path: Path) -> None:
    rows = [
        {"task_id": "a", "seq_no": 2, "state": "FAILED", "create_time": CREATED},
        {"task_id": "a", "seq_no": 1, "state": "RUNNING", "create_time": CREATED},
    ]
    pq.write_table(pa.Table.from_pylist(rows, arrow_schema.STORED_SCHEMA), tmp_path / "t.parquet")
    assert mltasks.load(tmp_path / "t.parquet")["state"].tolist() == ["FAILED"]
    assert mltasks.failures(mltasks.scan(tmp_path / "t.parquet"), by=[])["tasks"].tolist() == [1]


def test_what_could_not_be_read_while_writing_is_counted_in_the_context(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    mltasks.write_parquet(mltasks.load([hit("a"), hit("b")]).assign(create_time=["soon", ""]), path)
    found = parquet.read_footer(path)[2]
    assert found is not None
    assert (found.unreadable, found.samples) == ({"create_time": 2}, {"create_time": "task a: 'soon'"})


def test_an_existing_file_is_overwritten_by_force_only(demo: pd.DataFrame, written: Path) -> None:
    before = written.read_bytes()
    with pytest.raises(UsageError, match=r"tasks\.parquet: exists already; .*--force"):
        mltasks.write_parquet(demo[:5], written)
    assert written.read_bytes() == before
    mltasks.write_parquet(demo[:5], written, force=True)
    assert len(mltasks.load(written)) == 5


def test_a_table_of_something_else_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the DataFrame holds no tasks"):
        mltasks.write_parquet(pd.DataFrame({"a": [1]}), tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", [None, b"old"])
def test_nothing_is_left_and_nothing_harmed_when_the_disk_is_full(
    demo: pd.DataFrame, tmp_path: Path, before: bytes | None
) -> None:
    path = tmp_path / "t.parquet"
    if before:
        path.write_bytes(before)
    with full_disk(4096), pytest.raises(WriteError, match=r"t\.parquet: cannot be written: ") as caught:
        mltasks.write_parquet(demo, path, force=True)
    assert caught.value.exit_code == 5
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == ({"t.parquet": before} if before else {})


def test_a_file_that_was_not_finished_does_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(ZeroDivisionError):
        half(path)
    assert list(tmp_path.iterdir()) == []


def half(path: Path) -> None:
    with parquet.open_writer(path, arrow_schema.STORED_SCHEMA) as writer:
        writer.write(pa.Table.from_pylist([{"task_id": "a"}], arrow_schema.STORED_SCHEMA))
        raise ZeroDivisionError


def test_the_context_counts_the_rows_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    one = pa.Table.from_pylist([{"task_id": "a"}], arrow_schema.STORED_SCHEMA)
    with parquet.open_writer(path, arrow_schema.STORED_SCHEMA) as writer:
        writer.write(one)
        writer.write(one)
        writer.close(Context(source="x"))
    assert parquet.read_footer(path)[2] == Context(source="x", rows=2)


def test_a_parquet_file_of_something_else_is_a_data_error_that_shows_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"name": ["a"], "age": [7]}).to_parquet(path)
    for read in (mltasks.load, mltasks.scan):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{path} holds no tasks: it has no column state and no create_time (it has: name, age); "
            "make it with mltasks fetch or mltasks.load"
        )


def test_a_parquet_file_cut_short_is_a_data_error(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"not a readable Parquet file .*; fetch it anew with mltasks fetch") as caught:
        mltasks.load(written)
    assert str(caught.value).isprintable()


def test_a_parquet_file_whose_values_cannot_be_read_warns_once(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    known = mltasks.load([hit("a"), hit("b")])
    known.assign(create_time=["soon", "2023-11-14"]).to_parquet(path)
    with pytest.warns(mltasks.TaskDataWarning, match=r"create_time 1 \(task a: 'soon'\)") as caught:
        tasks = mltasks.load(path)
    assert len(caught) == 1
    assert json.loads(tasks["extra"][0]) == {"create_time": "soon"}


def test_a_context_that_claims_other_rows_than_there_are_is_not_believed(tmp_path: Path) -> None:
    """It says that each task is there once; with more rows than it says, somebody has put files together."""
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks, tmp_path / "once.parquet")
    rows = pq.read_table(tmp_path / "once.parquet")
    twice = pa.concat_tables([rows, rows]).replace_schema_metadata(rows.schema.metadata)
    pq.write_table(twice, tmp_path / "twice.parquet")
    assert parquet.read_footer(tmp_path / "twice.parquet")[1:2] == (2 * len(tasks),)
    expected = mltasks.failures(tasks)
    for source in (mltasks.load(tmp_path / "twice.parquet"), mltasks.scan(tmp_path / "twice.parquet")):
        pd.testing.assert_frame_equal(mltasks.failures(source), expected)
    doubled = pd.concat([tasks, tasks])
    doubled.attrs = dict(tasks.attrs)
    pd.testing.assert_frame_equal(mltasks.failures(doubled), expected)
