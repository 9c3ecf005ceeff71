"""Objects are written whole or not at all, and none is overwritten unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

import mltasks
from mltasks.object_storage import s3_client
from mltasks.object_storage.path import ObjectPath
from support.command import Command
from support.s3_proxy import Proxy
from support.s3_server import Bucket


def test_fetch_writes_an_object_and_overwrites_none(bucket: Bucket, mltasks_command: Command) -> None:
    fetch = ("fetch", "demo", "-o", "s3://history/a/tasks.parquet")
    assert mltasks_command(*fetch).err == "552 tasks of demo in s3://history/a/tasks.parquet\n"
    assert bucket.keys() == {"a/tasks.parquet"}
    assert len(mltasks.load("s3://history/a/tasks.parquet")) == 552
    assert "exists already" in mltasks_command.fails(2, *fetch)
    assert mltasks_command(*fetch, "--force", "--outcome", "failed").code == 0
    assert len(mltasks.load("s3://history/a/tasks.parquet")) == 156
    assert "name an object" in mltasks_command.fails(2, "fetch", "demo", "-o", "s3://history/")


def test_ctrl_c_at_the_upload_leaves_no_object(bucket: Bucket, proxy: Proxy, mltasks_command: Command) -> None:
    fetch = ("fetch", "demo", "-o", "s3://history/tasks.parquet")
    assert mltasks_command(*fetch).code == 0
    assert proxy.requests[-1] == ("PUT", "/history/tasks.parquet")
    bucket.delete("tasks.parquet")
    proxy.reset(cut_from=len(proxy.requests) - 1, interrupts=True)
    ran = mltasks_command(*fetch)
    assert (ran.code, ran.out, ran.err) == (130, "", "mltasks: interrupted\n")
    assert bucket.keys() == set()


def test_a_report_is_written_as_well(bucket: Bucket, mltasks_command: Command) -> None:
    assert mltasks_command("failures", "demo", "-o", "s3://history/failures.csv").code == 0
    assert bucket.get("failures.csv").startswith(b"task_type,function_name,tasks")


def test_a_large_file_goes_up_in_parts_and_none_is_left_of_a_failed_one(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_client, "PART", 5 * 1024 * 1024)
    (tmp_path / "large").write_bytes(bytes(12 * 1024 * 1024))
    place = ObjectPath("s3", "history", "large")
    s3_client.upload(tmp_path / "large", place, new=True)
    assert bucket.get("large") == (tmp_path / "large").read_bytes()
    assert len(proxy.requests) == 5  # begin, three parts, end
    with pytest.raises(s3_client.ConditionError):
        s3_client.upload(tmp_path / "large", place, new=True)
    other = ObjectPath("s3", "history", "other")
    proxy.reset(cut_from=4)
    with pytest.raises(mltasks.StorageError, match="cannot be reached"):
        s3_client.upload(tmp_path / "large", other, new=True)
    assert bucket.keys() == {"large"}
