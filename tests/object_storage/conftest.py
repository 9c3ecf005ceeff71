"""The S3 server of these tests: a real one, on loopback, started once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support import s3_proxy, s3_server
from support.command import Command
from support.missing import or_skip
from support.s3_proxy import Proxy
from support.s3_server import Bucket, S3Server


@pytest.fixture(scope="session")
def s3_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that all tests share; without it they are skipped, and fail in CI."""
    with or_skip(s3_server.started(tmp_path_factory.mktemp("s3"))) as server:
        yield server


@pytest.fixture
def s3(s3_session: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server with an empty bucket, and an environment that leads to it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_session.environment().items():
        monkeypatch.setenv(name, value)
    yield s3_session
    s3_session.bucket.delete(*s3_session.bucket.keys())


@pytest.fixture
def bucket(s3: S3Server) -> Bucket:
    """What is in the bucket."""
    return s3.bucket


@pytest.fixture
def proxy(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What stands between the client and the server, and counts."""
    with s3_proxy.started(s3.address) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{running.address}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield running


@pytest.fixture
def mltasks_command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `mltasks` in this process."""
    return Command(capsys)
