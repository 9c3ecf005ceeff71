"""The fixtures of the live tests: each server is started once, in the process that runs all tests of it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from live.assemble import MissingError, home
from live.groups import GROUPS
from live.made_up import TASKS
from live.secured import SecuredServer
from live.server import Server
from live.two_nodes import TwoNodes
from live.workload import make_all
from support.command import Command
from support.missing import fail_or_skip

SERVERS = {"two_nodes": "two nodes", "secured_server": "secured", "old_server": "old", "bare_server": "bare"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder `live`; refuse one that wants the server of another group of tests."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.live)
            names = {*getattr(item, "fixturenames", ())}
            wanted = {group for name, group in SERVERS.items() if name in names} or {"server"} & names
            group = GROUPS.get(f"tests/live/{item.path.name}", "server")
            if not wanted <= {group}:
                raise pytest.UsageError(f"{item.nodeid} wants {wanted}, and its file is of {group}; see live/groups.py")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server: that of MLTASKS_TEST_URL, else one that is started here and ended with the session."""
    url = os.environ.get("MLTASKS_TEST_URL")
    if url:
        _refuse_a_server_of_others(url)
        yield Server.running(url)
        return
    with _started("3.6.0") as started:
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
def bare_server() -> Iterator[Server]:
    """A server of its own on which no task was ever made; a test that makes an index removes it."""
    _beside_our_own_only()
    with _started("3.6.0") as started:
        yield started


@pytest.fixture
def index(bare_server: Server) -> Iterator[Server]:
    """A server with an index of tasks of its own, which is removed in the end."""
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    yield bare_server
    bare_server.ask("DELETE", f"/{TASKS}")


@pytest.fixture(scope="session")
def old_server() -> Iterator[Server]:
    """A server of its own of 2.19, on which no task was ever made."""
    _beside_our_own_only()
    with _started("2.19.1") as started:
        yield started


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster of two nodes of its own, whose task index has a replica."""
    _beside_our_own_only()
    try:
        home("3.6.0")
    except MissingError as missing:
        fail_or_skip(f"no cluster of two nodes to test against: {missing}")
    with TwoNodes() as pair:
        yield pair


@pytest.fixture(scope="session")
def secured_server() -> Iterator[SecuredServer]:
    """A server of its own behind the security plugin; it starts when one of the three below asks for it."""
    _beside_our_own_only()
    try:
        laid_out = SecuredServer.assembled()
    except MissingError as missing:
        fail_or_skip(f"no secured server to test against: {missing}")
    with laid_out:
        yield laid_out
        if not laid_out.alive():
            pytest.fail(f"the secured server died during the tests\n{laid_out.log(200)}", pytrace=False)


@pytest.fixture
def secured(secured_server: SecuredServer) -> SecuredServer:
    """The secured server with users and tasks."""
    secured_server.open()
    return secured_server


@pytest.fixture
def unready(secured_server: SecuredServer) -> SecuredServer:
    """The secured server as it has just started, before its users are loaded."""
    secured_server.unready()
    return secured_server


@pytest.fixture
def closed(secured_server: SecuredServer) -> SecuredServer:
    """The secured server with the setting that closes the index of tasks even to its administrator."""
    secured_server.closed()
    return secured_server


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, run in this process."""
    return Command(capsys)


def _started(version: str) -> Server:
    try:
        return Server.start(version)
    except MissingError as missing:
        fail_or_skip(
            f"no server of {version} to test against: {missing}; or set MLTASKS_TEST_URL to one on this machine"
        )


def _beside_our_own_only() -> None:
    """Skip where the tests were given one server to use: they were not asked to start others on that machine."""
    if os.environ.get("MLTASKS_TEST_URL"):
        pytest.skip("MLTASKS_TEST_URL is set: a second server is started only beside one of our own")


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
