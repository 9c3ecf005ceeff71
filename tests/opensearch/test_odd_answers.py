"""Answers that no OpenSearch gives: without an end in time or in size, and with words that have to be found."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mltasks.exceptions import Error
from mltasks.opensearch import connection, error_messages
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.response import NoResponseError, Response
from mltasks.opensearch.retry_policy import RetryPolicy
from support.documents import hit, page

PAGE = page([hit("a", 1)])
Pieces = list[bytes]


@contextmanager
def serving(pieces: Pieces, closes: bool = True) -> Iterator[str]:
    """Answer every connection with these bytes, in as many packets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    try:
                        client.recv(65536)
                        for piece in pieces:
                            client.sendall(piece)
                            if len(pieces) > 3 and ended.wait(0.02):
                                return
                        if not closes:
                            ended.wait(5)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        host, port = server.getsockname()[:2]
        yield f"http://{host}:{port}"
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def http(body: bytes, *headers: bytes, status: bytes = b"200 OK", length: int | None = None) -> Pieces:
    lines = [b"HTTP/1.1 " + status, *headers, b"content-length: %d" % (len(body) if length is None else length)]
    return [b"\r\n".join(lines) + b"\r\n\r\n" + body]


def drip(pieces: Pieces) -> Pieces:
    return [bytes([byte]) for piece in pieces for byte in piece]


@pytest.mark.parametrize("pieces", [drip(http(PAGE, b"x: " + b"y" * 300)), drip(http(b"x" * 400))])
def test_a_deadline_ends_what_drips(pieces: Pieces) -> None:
    with serving(pieces) as url:
        cluster = Cluster(url, timeout=5, retry_policy=RetryPolicy(deadline=0.3, sleep=lambda seconds: None))
        with pytest.raises(Error, match=r"deadline|no answer in time"):
            cluster.search({})
        cluster.close()


def test_an_answer_that_unpacks_to_more_than_is_bearable_counts_as_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LARGEST_ANSWER", 2**20)
    with serving(http(gzip.compress(b" " * 2**22), b"content-encoding: gzip")) as url:
        answer = Cluster(url).search({})
    assert answer.too_large
    assert answer.body == b"the answer is larger than 1 MiB"


def test_a_weak_key_is_not_an_unknown_authority() -> None:
    import ssl

    words = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: EE certificate key too weak (_ssl.c:1006)"
    said = str(error_messages.error_from_exception("https://h:1", NoResponseError(ssl.SSLError(words))))
    assert "too weak" in said
    assert "authority" not in said


def test_the_words_of_a_server_are_found_among_odd_causes() -> None:
    body = b'{"error":{"root_cause":[7,"x"],"reason":"why","type":"t"}}'
    assert error_messages.server_words(body) == ("why", "t")
    assert error_messages.error_from_response("http://h", Response(500, {}, body)).exit_code == 3
