"""The fixtures of the live tests: one real server a session."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from opensearch.assemble import MissingError
from opensearch.server import Server
from opensearch.workload import make_all


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder `live`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server: that of MLTASKS_TEST_URL, else one that is started here and ended with the session."""
    url = os.environ.get("MLTASKS_TEST_URL")
    if url:
        _refuse_a_server_of_others(url)
        yield Server.running(url)
        return
    try:
        started = Server.start()
    except MissingError as missing:
        reason = f"no server to test against: {missing}; or set MLTASKS_TEST_URL to one on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with started:
        yield started
        if not started.alive():
            pytest.fail(f"the server died during the tests\n{started.log(200)}", pytrace=False)


@pytest.fixture(scope="session")
def made_tasks(server: Server) -> dict[str, int]:
    """How many real tasks were made on the server, by type and state: {"TRAINING FAILED": 9, ...}."""
    return make_all(server)


@pytest.fixture(scope="session")
def quiet_cluster(server: Server, made_tasks: dict[str, int]) -> Server:
    """The server with `made_tasks` on it, all of which have ended."""
    return server


@pytest.fixture(scope="session")
def bare_server(server: Server) -> Iterator[Server]:
    """A server of its own on which no task was ever made; a test that makes an index removes it."""
    if server.process is None:
        pytest.skip("MLTASKS_TEST_URL is set: a second server is started only beside one of our own")
    with Server.start() as started:
        yield started


def _refuse_a_server_of_others(url: str) -> None:
    address = urlsplit(url)
    if address.scheme != "http" or not address.hostname:
        pytest.exit(f"MLTASKS_TEST_URL must look like http://127.0.0.1:9200, not {url}", pytest.ExitCode.USAGE_ERROR)
    if not _is_loopback(address.hostname) and os.environ.get("MLTASKS_TEST_WRITES") != "1":
        pytest.exit(
            f"MLTASKS_TEST_URL is {url}, another machine's: the live tests change its settings, train models "
            "and write into its task index. Set MLTASKS_TEST_WRITES=1 if that server is there for it.",
            pytest.ExitCode.USAGE_ERROR,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
