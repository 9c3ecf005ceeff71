"""Files and stores are read by Spark itself: what the manifest names, what the window needs, in their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.engines import spark_errors, spark_files, spark_objects
from mltasks.engines.dataset import Dataset
from mltasks.engines.reader import Reader
from mltasks.object_storage.path import parse_url
from mltasks.tasks import filter_options
from support import stored, web_server
from support.generated import AS_OF, DAY, made

same = pd.testing.assert_frame_equal
OBJECT = parse_url("s3://history/tasks.parquet")
ENDPOINT = "spark.hadoop.fs.s3a.endpoint"


def test_a_report_on_a_month_reads_the_files_of_that_month(session: Any, tmp_path: Path) -> None:
    tasks = made(*({"create_time": AS_OF - days * DAY} for days in (1, 2, 40, 41, 90)))
    local = stored.dataset(stored.of_stores(tasks), tmp_path / "a [b] {c} d")
    files = local.frame
    on_spark = Dataset(type(files)(files.parts, Reader("spark", session)), local.context)
    expected = mltasks.failures(local, since="7d")
    same(mltasks.failures(on_spark, since="7d"), expected)
    same(mltasks.failures(on_spark, by=[]), mltasks.failures(local, by=[]))


def test_the_plan_names_only_files_that_can_hold_a_task_of_the_window(session: Any, tmp_path: Path) -> None:
    tasks = made(*({"create_time": AS_OF - days * DAY} for days in (1, 40, 90)))
    local = stored.dataset(stored.of_stores(tasks), tmp_path)
    files = local.frame
    on_spark = type(files)(files.parts, Reader("spark", session))
    pruned = on_spark.prune(filter_options.parse({"since": "7d"}, AS_OF), window="created")
    rows = pruned.reader.scan(pruned)
    assert len(files.parts) > len(pruned.parts) == len(rows.inputFiles()) == 1
    assert rows.count() == 1


def test_a_folder_of_files_has_its_partition_columns_as_texts(session: Any, tmp_path: Path) -> None:
    demo = mltasks.load("demo")
    for team, part in (("007", demo.head(300)), ("08", demo.tail(252))):
        folder = tmp_path / f"team={team}"
        folder.mkdir()
        mltasks.write_parquet(part, folder / "part.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "README.txt").write_text("no tasks")
    tasks = mltasks.scan(tmp_path, engine="spark", session=session)
    expected = mltasks.failures(mltasks.scan(tmp_path), by="team")
    assert tasks.context.as_of_ms == mltasks.scan("demo").context.as_of_ms
    table = mltasks.failures(tasks, by="team")
    assert table["team"].tolist() == ["007", "08"]
    same(table, expected, rtol=1e-9)


def test_a_folder_of_which_spark_would_leave_out_files_is_refused(tmp_path: Path) -> None:
    demo = mltasks.load("demo")
    with pytest.raises(mltasks.DataError, match="holds no Parquet file that Spark reads"):
        spark_files.scan(tmp_path, None)
    (tmp_path / "team=1").mkdir()
    for name in ("a.parquet", "team=1/b.parquet"):
        mltasks.write_parquet(demo.head(5), tmp_path / name)
    with pytest.raises(mltasks.UsageError, match=r"some files are in folders called team=\.\.\. and some are not"):
        spark_files.scan(tmp_path, None)


def test_a_single_file_is_read_by_spark_with_its_metadata(session: Any, tmp_path: Path) -> None:
    file = tmp_path / "tasks.parquet"
    mltasks.write_parquet(mltasks.load("demo"), file)
    tasks = mltasks.scan(file, engine="spark", session=session, task_type="TRAINING")
    assert type(tasks.frame).__module__.startswith("pyspark")
    expected = mltasks.failures(mltasks.scan(file, task_type="TRAINING"))
    table = mltasks.failures(tasks)
    same(table, expected, rtol=1e-9)
    assert table.attrs == expected.attrs


@pytest.mark.parametrize("engine", ["polars", "Spark"])
def test_an_engine_that_is_not_there_is_named(engine: str) -> None:
    with pytest.raises(mltasks.UsageError, match=f"there is no '{engine}'; there are duckdb .*, spark"):
        mltasks.scan("demo", engine=engine)


def test_a_spark_without_hadoops_client_of_s3_says_what_to_add(session: Any) -> None:
    with (
        pytest.raises(mltasks.UsageError, match="Spark has no client for s3a://; add its jar, for S3 with PYSPARK"),
        spark_errors.translate_errors(),
    ):
        session.read.parquet("s3a://bucket/tasks.parquet")


@pytest.fixture
def set_endpoint(session: Any) -> Iterator[Callable[[str], None]]:
    """Gives the session an endpoint of S3 of its own, while a test runs."""
    yield lambda address: session.conf.set(ENDPOINT, address)
    session.conf.unset(ENDPOINT)


def test_spark_is_told_where_the_environment_says_that_s3_is(session: Any, set_endpoint: Callable[[str], None]) -> None:
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": "me", "AWS_MAX_ATTEMPTS": "2"}
    told = spark_objects.options(session, OBJECT, environment)
    assert told == {
        "fs.s3a.attempts.maximum": "2",
        "fs.s3a.retry.limit": "2",
        "fs.s3a.retry.interval": "100ms",
        "fs.s3a.connection.establish.timeout": "3s",
        "fs.s3a.endpoint": "http://127.0.0.1:9",
        "fs.s3a.endpoint.region": "us-east-1",
        "fs.s3a.path.style.access": "true",
        "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider",
    }
    set_endpoint("http://127.0.0.1:8")
    assert spark_objects.options(session, OBJECT, environment).keys() == told.keys() - {"fs.s3a.endpoint"}
    assert "fs.s3a.endpoint" not in spark_objects.options(session, OBJECT, {})


def test_an_endpoint_of_sparks_own_that_answers_with_a_web_page(
    session: Any, set_endpoint: Callable[[str], None]
) -> None:
    with web_server.running(web_server.WebPage) as address:
        set_endpoint(f"http://{address}")
        said = f"{OBJECT}: http://{address} answers with HTML, so it is no S3; look at {ENDPOINT}"
        with pytest.raises(mltasks.StorageError, match=re.escape(said)):
            spark_objects.options(session, OBJECT)
