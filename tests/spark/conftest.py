"""The fixtures of the tests on Spark: one session for all of them, a small cluster, and a Connect server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live.java import MissingError, java
from mltasks.engines import spark_session
from spark import servers
from support.command import Command


@pytest.fixture(scope="session")
def java_home() -> Path:
    """A Java that runs Spark; its tests are skipped where there is none, which is a failure in CI."""
    try:
        return java(17)
    except MissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Spark: {error}", pytrace=False)
        pytest.skip(f"no Spark: {error}")


@pytest.fixture(scope="session")
def own(java_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of Spark's programs."""
    folder = tmp_path_factory.mktemp("spark")
    return servers.environment(java_home, servers.make_home(folder / "home"), folder)


@pytest.fixture(scope="session")
def session(own: dict[str, str]) -> Iterator[Any]:
    """A session on this machine, in a zone that is not UTC."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        opened = spark_session.open_session(None, {"master": "local[2]"})
    opened.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    opened.conf.set("spark.sql.shuffle.partitions", "1")
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def master(own: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a cluster: a master and two workers of one core each."""
    with servers.cluster(own, tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(scope="session")
def remote(own: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Connect server."""
    with servers.connect_server(own, tmp_path_factory.mktemp("connect")) as url:
        yield url


@pytest.fixture
def mltasks(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line."""
    return Command(capsys)
