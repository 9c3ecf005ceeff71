"""What Spark 4.3 said of object storage through hadoop-aws 3.5.0 (recorded), in the words of the other engines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import mltasks
from mltasks.engines import spark_files, spark_objects

REFUSED = """An error occurred while calling o103.parquet.
: java.nio.file.AccessDeniedException: s3a://history/tasks.parquet: getFileStatus on s3a://history/tasks.parquet: \
software.amazon.awssdk.services.s3.model.S3Exception: Forbidden (Service: S3, Status Code: 403, Request ID: 18EC2):null
\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:286)
Caused by: software.amazon.awssdk.services.s3.model.S3Exception: Forbidden (Service: S3, Status Code: 403)"""
NOBODY = """An error occurred while calling o104.parquet.
: java.net.ConnectException: getFileStatus on s3a://history/tasks.parquet: software.amazon.awssdk.core.exception.\
SdkClientException: Unable to execute HTTP request: Connect to 127.0.0.1:9 [/127.0.0.1] failed: Connection refused
Caused by: java.net.ConnectException: Connection refused"""
LACKING = "[PATH_NOT_FOUND] Path does not exist: s3a://history/prod/_files/cluster=prod/created=2025-08/ae2c.pq."
DAMAGED = """An error occurred while calling o55.parquet.
: org.apache.spark.SparkException: [FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] Encountered error while reading file \
s3a://history/badfolder/x.parquet. Could not read footer. Please ensure that the file is in Parquet format.
Caused by: java.lang.RuntimeException: s3a://history/badfolder/x.parquet is not a Parquet file."""
OTHER = """: org.apache.hadoop.fs.s3a.AWSServiceIOException: s3a://history/x: software.amazon.awssdk.services.s3.model.\
S3Exception: Slow down (Service: S3, Status Code: 418)"""


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (REFUSED, 3, "s3://history/tasks.parquet: access is denied: the credentials in use have no right to this; set"),
        (NOBODY, 3, "s3://history/tasks.parquet: cannot be reached (Unable to execute HTTP request: Connect to 127."),
        (LACKING, 4, "s3://history/prod/_files/cluster=prod/created=2025-08/ae2c.pq: is missing; publish the store"),
        (DAMAGED, 4, "s3://history/badfolder/x.parquet: not a readable Parquet file; is it damaged? Of a store, mlt"),
        (OTHER, 3, "s3://history/x: cannot be read or written (Slow down (Service: S3, Status Code: 418)); try again"),
        ("s3a://nowhere/x: software.amazon.awssdk: NoSuchBucket", 2, "s3://nowhere/x: there is no bucket 'nowhere'; "),
        ("s3a://history/x: InvalidAccessKeyId", 3, "s3://history/x: the credentials are refused (InvalidAccessKeyId)"),
    ],
    ids=["refused", "nobody", "lacking", "damaged", "other", "bucket", "key"],
)
def test_what_spark_says_of_s3_is_said_as_on_other_engines(text: str, code: int, words: str) -> None:
    error = spark_objects.describe(text)
    assert error is not None
    assert (error.exit_code, str(error)[: len(words)]) == (code, words)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "text",
    ["[UNRESOLVED_COLUMN] `state` cannot be resolved", "Connection refused", "[PATH_NOT_FOUND] Path: file:/a.parquet"],
)
def test_what_spark_says_of_other_things_is_left(text: str) -> None:
    assert spark_objects.describe(text) is None


def test_a_file_that_is_no_parquet_is_said_before_spark_is_asked(tmp_path: Path) -> None:
    (tmp_path / "team=1").mkdir()
    (tmp_path / "team=1" / "a.parquet").write_bytes(b"no Parquet at all")
    with pytest.raises(mltasks.DataError, match=r"a\.parquet: not a readable Parquet file \(Parquet magic bytes"):
        spark_files.scan(tmp_path, None)
