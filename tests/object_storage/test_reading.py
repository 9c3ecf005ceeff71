"""Tasks in object storage: every report of them is that of the same files on a disk, for a part of the bytes."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.reports.registry import REPORTS
from mltasks.sources import parquet
from mltasks.tasks.metadata import ClusterInfo, Context
from support.command import Command
from support.s3_proxy import Proxy
from support.s3_server import Bucket, S3Server

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tasks") / "tasks.parquet"
    mltasks.fetch("demo", place)
    return place


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_of_an_object_is_that_of_the_file(name: str, file: Path, bucket: Bucket) -> None:
    bucket.put("tasks.parquet", file)
    report = getattr(mltasks, name)
    options = {"split": "2026-11-24T22:05"} if name == "compare" else {}
    tables = [report(source, **options) for source in ("s3://history/tasks.parquet", mltasks.load(file))]
    left, right = (table.drop(columns="command", errors="ignore") for table in tables)  # it names the source
    pd.testing.assert_frame_equal(left, right)


def test_a_folder_of_partitions_gives_its_columns(file: Path, s3: S3Server) -> None:
    for team, task_type in (("red", "TRAINING"), ("007", "DEPLOY_MODEL")):
        mltasks.fetch(file, f"s3://history/by/team={team}/part-0.parquet", task_type=task_type)
    table = mltasks.failures("s3://history/by", by="team")
    assert table[["team", "tasks", "failed"]].to_numpy().tolist() == [["007", 115, 50], ["red", 306, 74]]


def test_load_list_and_get_read_objects(file: Path, bucket: Bucket, mltasks_command: Command) -> None:
    bucket.put("a [strange] *name*.parquet", file)
    source = "s3://history/a [strange] *name*.parquet"
    pd.testing.assert_frame_equal(mltasks.load(source), mltasks.load(file))
    assert len(mltasks_command("list", source, "--format", "json", "--outcome", "failed").rows) == 156
    assert mltasks_command("get", source, "-HCVD6IBiXUMJeGlHdJP", "--format", "json").rows[0]["state"] == "FAILED"
    assert mltasks_command("failures", source, "--format", "json").rows


def test_saved_hits_are_read_as_well(bucket: Bucket) -> None:
    bucket.put("hits.ndjson.gz", ROOT / "data" / "labelled-14d.ndjson.gz")
    pd.testing.assert_frame_equal(
        mltasks.load("s3://history/hits.ndjson.gz"), mltasks.load(ROOT / "data" / "labelled-14d.ndjson.gz")
    )


def test_other_names_of_the_scheme_mean_the_same(file: Path, bucket: Bucket) -> None:
    bucket.put("tasks.parquet", file)
    assert len(mltasks.load("s3a://history/tasks.parquet")) == 552


def test_only_the_needed_row_groups_and_columns_are_fetched(
    file: Path, bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    """Eight row groups, a day each, of tasks whose responses are most of the 20 MB: 2 MB, DuckDB would read at once."""
    one, parts = pq.read_table(file), []
    for n in range(8):
        rows = one.to_pydict()
        rows["task_id"] = [f"{n}-{task_id}" for task_id in rows["task_id"]]
        rows["response"] = [json.dumps({"noise": secrets.token_hex(4000)}) for _ in rows["task_id"]]
        for name in ("create_time", "last_update_time"):
            rows[name] = [time and time - pd.Timedelta(days=7 - n) for time in rows[name]]
        parts.append(pa.table(rows, one.schema))
    with parquet.open_writer(tmp_path / "big.parquet", one.schema) as writer:
        for rows_of_a_day in parts:
            writer.write(rows_of_a_day)
        writer.close(Context(source="test", readings=(ClusterInfo(cluster="ml-fixture", as_of_ms=1795561200000),)))
    bucket.put("big.parquet", tmp_path / "big.parquet")
    size = (tmp_path / "big.parquet").stat().st_size

    def fetched(since: str | None = None) -> tuple[int, int]:
        proxy.reset()
        table = mltasks.durations("s3://history/big.parquet", by=[], since=since)
        return int(table["tasks"].sum()), proxy.received

    tasks, received = fetched()
    assert tasks == 8 * 552
    assert received < size / 50
    tasks, of_a_day = fetched(since="2026-11-24")
    assert tasks == 552
    assert of_a_day < 0.7 * received
