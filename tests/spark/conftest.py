"""The fixtures of the tests on Spark: a small cluster, and one session on it, which answers to Connect, too."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live.java import MissingError, java
from mltasks.engines import spark_session
from spark import servers
from support.command import Command
from support.missing import fail_or_skip


@pytest.fixture(scope="session")
def java_home() -> Path:
    """A Java that runs Spark; its tests are skipped where there is none, which is a failure in CI."""
    try:
        return java(17)
    except MissingError as error:
        fail_or_skip(f"no Spark: {error}")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where Spark is, and the URL at which its session answers to Connect."""
    return servers.make_home(tmp_path_factory.mktemp("spark") / "home")


@pytest.fixture(scope="session")
def own(java_home: Path, home: tuple[Path, str]) -> dict[str, str]:
    """The environment of Spark's programs."""
    return servers.environment(java_home, home[0], home[0].parent)


@pytest.fixture(scope="session")
def master(own: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a cluster: a master and two workers of one core each."""
    with servers.cluster(own, tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(scope="session")
def session(master: str, own: dict[str, str]) -> Iterator[Any]:
    """A session on the cluster, in a zone that is not UTC; nothing is written where a user would see it."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as written:
        for name, value in own.items():
            patch.setenv(name, value)
        kept = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            opened = spark_session.open_session(None, {"master": master})
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        written.seek(0)
        assert written.read() == b""
    opened.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def remote(session: Any, home: tuple[Path, str]) -> str:
    """The URL of a Connect server."""
    return home[1]


@pytest.fixture
def mltasks(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line."""
    return Command(capsys)
