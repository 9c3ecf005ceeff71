"""Answers that no OpenSearch gives, byte by byte: each is all tasks or one error, never fewer, never a bug."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mltasks.exceptions import Error
from mltasks.opensearch import connection, error_messages
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.pagination import SeqNoPagination
from mltasks.opensearch.response import NoResponseError, Response
from mltasks.opensearch.retry_policy import RetryPolicy
from support.documents import hit, page

PAGE = page([hit("a", 1)])
PACKED = gzip.compress(PAGE)
LOGIN = b"<html><form action=/login>Please sign in</form></html>"
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


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Pieces:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body + end]


def error(body: object, status: bytes = b"400 Bad Request") -> Pieces:
    return http(json.dumps(body).encode(), b"content-type: application/json", status=status)


GZIP = b"content-encoding: gzip"
DEEP = b'{"hits":{"hits":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}}"
ODD: dict[str, Pieces] = {
    "gzip that is none": http(PAGE, GZIP),
    "gzip cut short": http(PACKED[:-9], GZIP),
    "gzip with a lying length": http(PACKED, GZIP, length=len(PACKED) + 5),
    "gzip of nothing": http(b"", GZIP),
    "gzip twice": http(gzip.compress(PACKED), GZIP),
    "gzip with bytes behind it": http(PACKED + b"more", GZIP),
    "deflate that is none": http(PAGE, b"content-encoding: deflate"),
    "an unknown encoding": http(PAGE, b"content-encoding: zip"),
    "chunks without an end": chunked(PAGE, end=b""),
    "a chunk of another length": chunked(PAGE[:9], end=b"ffff\r\nxx"),
    "a chunk length that is none": chunked(end=b"zz\r\n\r\n"),
    "chunked and cut": chunked(PAGE[:20]),
    "HTTP/0.9": [PAGE],
    "HTTP/3.7": [b"HTTP/3.7 200 OK\r\n\r\n" + PAGE],
    "no status": [b"HTTP/1.1\r\n\r\n"],
    "a status that is none": [b"HTTP/1.1 abc OK\r\n\r\n"],
    "status 99": [b"HTTP/1.1 99 Low\r\n\r\n"],
    "status 100 for ever": [b"HTTP/1.1 100 Continue\r\n\r\n" * 3],
    "status 204": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "status 206": http(PAGE[:30], status=b"206 Partial Content"),
    "a redirection to nowhere": http(b"", status=b"302 Found"),
    "a redirection to itself": http(b"", b"location: /", status=b"301 Moved"),
    "not modified": [b"HTTP/1.1 304 Not Modified\r\n\r\n"],
    "a long header": http(PAGE, b"x: " + b"y" * 70_000),
    "many headers": http(PAGE, *[b"x-%d: y" % n for n in range(200)]),
    "a header with NUL": http(PAGE[:-3], b"x: \0"),
    "a header that is none": http(PAGE[:-3], b"nonsense"),
    "a negative length": http(PAGE[:-3], length=-7),
    "nothing at all": [b""],
    "a body of NUL": http(b"\0" * 100),
    "UTF-16": http(PAGE.decode().encode("utf-16")),
    "a byte order mark and half a page": http(b"\xef\xbb\xbf" + PAGE[:50]),
    "a login page": http(LOGIN, b"content-type: text/html"),
    "a login page with 401": http(LOGIN, status=b"401 Unauthorized"),
    "403 without a text": http(b"", status=b"403 Forbidden"),
    "JSON of 50 000 levels": http(DEEP),
    "JSON of 50 000 levels as an error": http(b"[" * 50_000, status=b"400 Bad Request"),
    "a number": http(b"7"),
    "a list": http(b"[]"),
    "null": http(b"null"),
    "an empty object": http(b"{}"),
    "two pages in one": http(PAGE + PAGE),
    "a root cause that is a text": error({"error": {"root_cause": "odd", "type": "x"}}),
    "root causes that are numbers": error({"error": {"root_cause": [1, 2], "type": "x", "reason": "odd"}}),
    "a root cause that is an object": error({"error": {"root_cause": {"a": 1}, "reason": [1]}}),
    "an error that is a list": error({"error": [1, 2]}),
    "an error that is a number": error({"error": 7}),
    "an error that is empty": error({"error": {}}),
    "500": error({"error": "odd"}, b"500 Internal Server Error"),
    "520": http(b"", status=b"520 Unknown"),
    "526": http(LOGIN, status=b"526 Invalid Certificate"),
    "hits that are a text": http(b'{"hits":{"hits":"x"}}'),
    "a total that is a text": http(PAGE.replace(b'"value":1', b'"value":"1"')),
    "shards that are a list": http(PAGE.replace(b'"_shards":{', b'"_shards":[],"x":{')),
}


@pytest.mark.parametrize("name", ODD)
def test_an_answer_that_is_always_odd_is_one_error(name: str) -> None:
    with serving(ODD[name]) as url:
        cluster = Cluster(url, timeout=1, retry_policy=RetryPolicy(sleep=lambda seconds: None))
        with pytest.raises(Error) as failed:
            list(SeqNoPagination(cluster, Decoder()))
        cluster.close()
    assert failed.value.exit_code in (2, 3, 4)
    assert "\n" not in str(failed.value)
    assert url in str(failed.value)


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
    with serving(http(gzip.compress(b" " * 2**22), GZIP)) as url:
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
