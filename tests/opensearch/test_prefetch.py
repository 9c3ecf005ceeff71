"""A request sent early is answered as any other, and one that is not wanted any more disturbs nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mltasks.opensearch.connection import RawConnection
from mltasks.opensearch.response import NoResponseError


class Echo(ThreadingHTTPServer):
    """Answers with what it was sent, and keeps it; `last words` are answered, and the connection closed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[bytes] = []
        self.came = threading.Semaphore(0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append(body)
        self.server.came.release()
        if body == b"silence":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if body == b"last words":
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def connection(echo: Echo) -> Iterator[RawConnection]:
    host, port = echo.server_address[:2]
    made = RawConnection(host=str(host), port=port, timeout=5)
    yield made
    made.close()


def ask(connection: RawConnection, body: bytes) -> bytes:
    return connection.perform_request("POST", "/", body=body).body


def early(connection: RawConnection, body: bytes) -> None:
    connection.prefetch("POST", "/", body, {})


def test_what_is_asked_early_is_under_way_before_it_is_wanted_and_sent_once(
    echo: Echo, connection: RawConnection
) -> None:
    assert ask(connection, b"one") == b"one"
    early(connection, b"two")
    assert echo.came.acquire(timeout=5)
    assert echo.came.acquire(timeout=5)
    assert echo.heard == [b"one", b"two"]
    assert ask(connection, b"two") == b"two"
    assert ask(connection, b"three") == b"three"
    assert echo.heard == [b"one", b"two", b"three"]


def test_another_question_than_the_early_one_gets_its_own_answer(connection: RawConnection) -> None:
    ask(connection, b"one")
    early(connection, b"two")
    assert ask(connection, b"three") == b"three"
    assert ask(connection, b"two") == b"two"


def test_only_one_question_is_under_way(echo: Echo, connection: RawConnection) -> None:
    ask(connection, b"one")
    early(connection, b"two")
    early(connection, b"three")
    assert ask(connection, b"two") == b"two"
    assert echo.heard == [b"one", b"two"]


def test_what_is_forgotten_is_asked_anew(echo: Echo, connection: RawConnection) -> None:
    ask(connection, b"one")
    early(connection, b"two")
    connection.cancel_prefetch()
    assert ask(connection, b"two") == b"two"


def test_nothing_is_sent_early_before_the_first_answer(echo: Echo, connection: RawConnection) -> None:
    early(connection, b"one")
    assert ask(connection, b"two") == b"two"
    assert echo.heard == [b"two"]


def test_nothing_is_sent_early_on_a_connection_that_the_server_closes(echo: Echo, connection: RawConnection) -> None:
    ask(connection, b"last words")
    early(connection, b"two")
    assert ask(connection, b"three") == b"three"
    assert echo.heard == [b"last words", b"three"]


def test_an_early_question_without_an_answer_is_an_error_once_it_is_wanted(connection: RawConnection) -> None:
    ask(connection, b"one")
    early(connection, b"silence")
    with pytest.raises(NoResponseError):
        ask(connection, b"silence")
    assert ask(connection, b"two") == b"two"
