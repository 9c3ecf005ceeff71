"""Google Cloud Storage, on a server that speaks as it does: what is read, what is written, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.fs as pafs
import pytest

import mltasks
from mltasks.object_storage import filesystem
from mltasks.object_storage.errors import google_emulator
from mltasks.reports.registry import REPORTS
from support import google_server, stores, web_server
from support.command import Command
from support.documents import hit
from support.missing import or_skip
from support.s3_server import Bucket
from support.web_server import WebPage

same = pd.testing.assert_frame_equal
READS = (("failures", "gs://history/prod"), ("list", "gs://history/tasks.parquet"), ("verify", "gs://history/prod"))
WRITES = (("fetch", "demo", "-o", "gs://history/x.parquet"), ("failures", "demo", "-o", "gs://history/x.csv"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with or_skip(google_server.started(tmp_path_factory.mktemp("google"))) as address:
        yield address


@pytest.fixture
def google(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pafs.GcsFileSystem]:
    """What is on the server, in an environment that leads to it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    storage = google_server.file_system(server)
    yield storage
    for entry in storage.get_file_info(pafs.FileSelector("history", recursive=True)):
        if entry.is_file:
            storage.delete_file(entry.path)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without an emulator, without credentials, and not of a machine of Google's."""
    for name in ("STORAGE_EMULATOR_HOST", "CLOUD_STORAGE_EMULATOR_ENDPOINT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GCE_METADATA_ROOT", "127.0.0.2")


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_of_an_object_is_that_of_the_tasks(name: str, google: pafs.GcsFileSystem) -> None:
    mltasks.fetch("demo", "gs://history/tasks.parquet")
    options = {"split": "2026-11-24T22:05"} if name == "compare" else {}
    report = getattr(mltasks, name)
    tables = [report(source, **options) for source in ("gs://history/tasks.parquet", mltasks.load("demo"))]
    left, right = (table.drop(columns="command", errors="ignore") for table in tables)  # it names the source
    same(left, right)


def test_a_folder_of_partitions_gives_its_columns(google: pafs.GcsFileSystem) -> None:
    for team, task_type in (("red", "TRAINING"), ("007", "DEPLOY_MODEL")):
        mltasks.fetch("demo", f"gs://history/by/team={team}/part-0.parquet", task_type=task_type)
    table = mltasks.failures("gs://history/by", by="team")
    assert table[["team", "tasks", "failed"]].to_numpy().tolist() == [["007", 115, 50], ["red", 306, 74]]


def test_what_is_written_overwrites_nothing_unasked(google: pafs.GcsFileSystem, mltasks_command: Command) -> None:
    fetch = ("fetch", "demo", "-o", "gs://history/a/tasks.parquet")
    assert mltasks_command(*fetch).err == "552 tasks of demo in gs://history/a/tasks.parquet\n"
    assert "exists already" in mltasks_command.fails(2, *fetch)
    assert mltasks_command(*fetch, "--force", "--outcome", "failed").code == 0
    assert len(mltasks.load("gs://history/a/tasks.parquet")) == 156
    assert mltasks_command("report", "demo", "-o", "gs://history/report.html").code == 0
    with google.open_input_file("history/report.html") as page:
        assert page.read().startswith(b"<!doctype html>")


def test_a_copy_of_a_published_store_is_read(
    google: pafs.GcsFileSystem, bucket: Bucket, tmp_path: Path, mltasks_command: Command
) -> None:
    stores.put(tmp_path / "store", "prod", [hit("a"), hit("b")])
    mltasks.publish(tmp_path / "store", "s3://history/prod")
    for key in sorted(bucket.keys()):
        with google.open_output_stream(f"history/{key}") as copy:
            copy.write(bucket.get(key))
    same(mltasks.failures("gs://history/prod"), mltasks.failures(tmp_path / "store"))
    assert "whole" in mltasks_command("verify", "gs://history/prod").out
    data_file = next(key for key in bucket.keys(".pq"))
    with google.open_output_stream(f"history/{data_file}") as copy:
        copy.write(bucket.get(data_file)[:-20])
    assert f"gs://history/{data_file}" in mltasks_command.fails(4, "failures", "gs://history/prod")
    google.move("history/prod/_manifest.json", "history/elsewhere")
    for command in ("failures", "verify"):
        assert "half a published store" in mltasks_command.fails(4, command, "gs://history/prod")
    google.move("history/elsewhere", "history/prod/_manifest.json")
    google.delete_file(f"history/{data_file}")
    assert f"gs://history/{data_file}: is missing" in mltasks_command.fails(4, "failures", "gs://history/prod")


def test_nothing_is_there(google: pafs.GcsFileSystem, mltasks_command: Command) -> None:
    for place in ("gs://history/none", "gs://history/none.parquet", "gs://history"):
        assert f"{place}: there is nothing under this prefix" in mltasks_command.fails(2, "failures", place)
    assert "is not a store" in mltasks_command.fails(2, "verify", "gs://history/none")


@pytest.mark.parametrize("command", [*READS, *WRITES], ids=str)
def test_a_bucket_that_is_not_there(
    command: tuple[str, ...], google: pafs.GcsFileSystem, server: str, mltasks_command: Command
) -> None:
    text = mltasks_command.fails(2, *(word.replace("history", "nowhere") for word in command))
    assert f"there is no bucket 'nowhere' at http://{server}; look at its name" in text


@pytest.mark.parametrize("command", [*READS, *WRITES], ids=str)
def test_what_answers_is_something_else(
    command: tuple[str, ...], mltasks_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server.running(WebPage) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}/")
        text = mltasks_command.fails(3, *command)
    said = f"http://{address} answers with HTML, so it is no Google Cloud Storage; look at STORAGE_EMULATOR_HOST"
    assert text.endswith(said)


def refuse(status: int, message: str) -> type[WebPage]:
    """Return what answers everything with an error as Google writes it."""
    error = {"code": status, "message": message, "errors": [{"message": message, "domain": "global", "reason": "no"}]}
    content = {"status": status, "kind": "application/json", "page": json.dumps({"error": error}).encode()}
    return type("Refusal", (WebPage,), content)


@pytest.mark.parametrize("command", [*READS, *WRITES], ids=str)
@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "Invalid Credentials", "the credentials are refused at http://{} (Invalid Credentials); set GOOGLE_APP"),
        (403, "me does not have access", "access is denied at http://{} (me does not have access); set GOOGLE_APP"),
        (400, "Bad", "cannot be read or written at http://{} (Bad); try again"),
    ],
    ids=["refused", "denied", "bad"],
)
def test_credentials_that_are_of_no_use(
    status: int,
    message: str,
    words: str,
    command: tuple[str, ...],
    mltasks_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with web_server.running(refuse(status, message)) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        assert words.format(address) in mltasks_command.fails(3, *command)


@pytest.mark.parametrize("command", [READS[0], WRITES[0]], ids=str)
def test_nobody_answers(command: tuple[str, ...], mltasks_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "GIVE_UP", timedelta(milliseconds=1))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9")
    assert "cannot be reached at http://127.0.0.1:9 (" in mltasks_command.fails(3, *command)


@pytest.mark.parametrize("command", [*READS, *WRITES], ids=str)
def test_no_credentials(command: tuple[str, ...], nowhere: None, mltasks_command: Command) -> None:
    assert "there are no credentials; set GOOGLE_APPLICATION_CREDENTIALS" in mltasks_command.fails(3, *command)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "Cannot open credentials file "),
        ("my-secret", "it does not contain a JSON object"),
        ('{"type": "none", "private_key": "my-secret"}', "Unsupported credential type (none)"),
    ],
)
def test_a_file_of_credentials_that_holds_none(
    content: str | None,
    words: str,
    nowhere: None,
    tmp_path: Path,
    mltasks_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if content is not None:
        (tmp_path / "key.json").write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    for command in (READS[0], WRITES[0]):
        text = mltasks_command.fails(3, *command)
        assert "the credentials cannot be used (" in text
        assert words in text
        assert "my-secret" not in text


@pytest.mark.parametrize("address", ["http://me:secret@host", "ftp://host", "http://host/path"])
def test_an_emulator_that_is_no_address(
    address: str, nowhere: None, mltasks_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    text = mltasks_command.fails(2, *READS[0])
    assert text == "STORAGE_EMULATOR_HOST: is no address; say for instance http://localhost:4443"


def test_the_emulator_is_named_as_googles_tools_do() -> None:
    assert google_emulator({"STORAGE_EMULATOR_HOST": "localhost:4443"}) == (
        "http://localhost:4443",
        "STORAGE_EMULATOR_HOST",
    )
    assert google_emulator({"CLOUD_STORAGE_EMULATOR_ENDPOINT": "http://localhost:4443/"}) == (
        "http://localhost:4443",
        "CLOUD_STORAGE_EMULATOR_ENDPOINT",
    )
    assert google_emulator({}).address == ""
