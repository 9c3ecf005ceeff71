"""What goes wrong with object storage: one line with place, value and remedy, soon, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from mltasks.exceptions import StorageError
from mltasks.object_storage import s3_client
from mltasks.object_storage.path import parse_url
from support import stores, web_server
from support.command import Command
from support.documents import hit
from support.s3_server import Bucket, S3Server
from support.web_server import WebPage


class CutAnswer(WebPage):
    """Answers with less than it promises."""

    kind = "application/json"
    page = b"{"
    missing = 99
    etag = '"1"'


class NoPage(WebPage):
    """Has no such page."""

    status = 404


class Login(WebPage):
    """Lets nobody in."""

    status = 403


@pytest.fixture(params=[WebPage, NoPage, Login])
def web_page(request: pytest.FixtureRequest, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with web_server.running(request.param) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        yield address


@pytest.fixture
def store(tmp_path: Path) -> str:
    stores.put(tmp_path / "store", "prod", [hit("t")])
    return str(tmp_path / "store")


READS = (("failures", "s3://{}/prod"), ("list", "s3://{}/prod/tasks.parquet"), ("verify", "s3://{}/prod"))


@pytest.mark.parametrize("command", READS, ids=str)
def test_a_bucket_that_is_not_there(command: tuple[str, str], s3: S3Server, mltasks_command: Command) -> None:
    text = mltasks_command.fails(2, command[0], command[1].format("nowhere"))
    assert "there is no bucket 'nowhere'" in text


def test_a_bucket_that_is_not_there_to_write_to(s3: S3Server, store: str, mltasks_command: Command) -> None:
    for arguments in (("publish", store, "s3://nowhere/x"), ("fetch", "demo", "-o", "s3://nowhere/x.parquet")):
        assert "there is no bucket 'nowhere'" in mltasks_command.fails(2, *arguments)


def test_nothing_under_a_prefix(s3: S3Server, mltasks_command: Command) -> None:
    assert "s3://history/none: there is nothing under this prefix" in mltasks_command.fails(
        2, "failures", "s3://history/none"
    )
    assert "is not a store" in mltasks_command.fails(2, "verify", "s3://history/none")


@pytest.mark.parametrize("command", [*READS, ("failures", "demo", "-o", "s3://{}/x.csv")], ids=str)
@pytest.mark.parametrize(
    ("name", "value"), [("AWS_SECRET_ACCESS_KEY", "wrong-secret"), ("AWS_ACCESS_KEY_ID", "nobody")]
)
def test_a_wrong_key(
    command: tuple[str, ...],
    name: str,
    value: str,
    s3: S3Server,
    mltasks_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    text = mltasks_command.fails(3, *(word.format("history") for word in command))
    assert "the credentials are refused" in text
    assert "secret-of-the-tests" not in text
    assert "wrong-secret" not in text
    assert "doctor" not in text


def test_no_credentials(s3: S3Server, store: str, mltasks_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for arguments in (("failures", "s3://history/prod"), ("publish", store, "s3://history/prod")):
        assert "there are no credentials; set AWS_ACCESS_KEY_ID" in mltasks_command.fails(3, *arguments)


def test_an_endpoint_that_answers_with_a_web_page(web_page: str, store: str, mltasks_command: Command) -> None:
    for arguments in (
        ("failures", "s3://history/prod"),
        ("failures", "s3://history/tasks.parquet"),
        ("verify", "s3://history/prod"),
        ("publish", store, "s3://history/prod"),
        ("fetch", "demo", "-o", "s3://history/new.parquet"),
        ("failures", "demo", "-o", "s3://history/new.csv", "--force"),
    ):
        text = mltasks_command.fails(3, *arguments)
        assert web_page in text
        assert "so it is no S3; look at AWS_ENDPOINT_URL" in text


def test_nobody_at_the_endpoint(
    s3: S3Server, store: str, mltasks_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for arguments in (("failures", "s3://history/prod"), ("publish", store, "s3://history/prod")):
        assert "cannot be reached at http://127.0.0.1:9" in mltasks_command.fails(3, *arguments)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://key:secret@history/x", "credentials in a URL end up in logs"),
        ("s3://history/x?secret_key=hidden", "options in the URL of an object are not taken"),
        ("s3://", "names no bucket"),
        ("s3:///x", "names no bucket"),
    ],
)
def test_a_url_that_is_none(url: str, words: str, s3: S3Server, mltasks_command: Command) -> None:
    text = mltasks_command.fails(2, "failures", url)
    assert words in text
    assert "hidden" not in text
    assert "secret@" not in text


def test_an_endpoint_that_is_no_address(
    s3: S3Server, mltasks_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "user:pass@host")
    text = mltasks_command.fails(2, "failures", "s3://history/x")
    assert text.startswith("AWS_ENDPOINT_URL: is no address")
    assert "pass@" not in text


def test_a_store_is_published_to_s3_only_and_only_a_store(
    s3: S3Server, store: str, tmp_path: Path, mltasks_command: Command
) -> None:
    assert "s3:// only" in mltasks_command.fails(2, "publish", store, "gs://bucket/x")
    assert "is not a store" in mltasks_command.fails(2, "publish", str(tmp_path), "s3://history/x")
    assert "a folder of this machine" in mltasks_command.fails(2, "sync", "https://127.0.0.1:1", "s3://history/x")


@pytest.mark.parametrize(("scheme", "name"), [("s3", "S3FileSystem"), ("gs", "GcsFileSystem")])
def test_a_pyarrow_without_the_file_system(
    scheme: str, name: str, mltasks_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some builds of pyarrow have no such class, and say so when it is looked for."""
    monkeypatch.delattr(pafs, name)
    monkeypatch.setattr(pafs, "_not_imported", [name])
    text = mltasks_command.fails(2, "failures", f"{scheme}://bucket-without-a-driver/x")
    assert text.endswith("pip install --force-reinstall pyarrow, which comes with it")


def test_an_account_of_azure_that_is_not_named(mltasks_command: Command) -> None:
    text = mltasks_command.fails(2, "failures", "abfs://container/x")
    assert "after the container and an '@' comes ACCOUNT.dfs.core.windows.net" in text


def test_a_file_that_is_no_parquet(bucket: Bucket, mltasks_command: Command) -> None:
    bucket.put("tasks.parquet", b"not at all")
    assert "not a readable Parquet file" in mltasks_command.fails(4, "failures", "s3://history/tasks.parquet")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"AWS_PROFILE": "nobody"},
            "S3 cannot be asked (The config profile (nobody) could not be found); look at the ad",
        ),
        ({"AWS_REGION": "no region"}, "S3 cannot be asked (Provided region_name 'no region' doesn't match a supported"),
    ],
)
def test_settings_that_mean_nothing_are_said_of_a_reading_as_of_a_writing(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for ask in (s3_client.read_version, s3_client.delete):
        with pytest.raises(StorageError, match=re.escape(f"s3://bucket/key: {words}")):
            ask(parse_url("s3://bucket/key"))


def test_an_answer_that_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret-Value")
    with web_server.running(CutAnswer) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        said = f"cannot be reached at http://{address} (the answer was cut short: ProtocolError)"
        with pytest.raises(StorageError, match=re.escape(said)):
            s3_client.read_version(parse_url("s3://bucket/key"))
