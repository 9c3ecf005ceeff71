"""A proxy between the tool and the real server that breaks one answer, or every one from a certain one on.

The faults are those that clusters and what stands before them have; the server behind is real, and so is every byte
that is not broken on purpose.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

SEARCH = "/_plugins/_ml/tasks/_search"
Send = Callable[[int, dict[str, str], bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Passes requests on; searches are counted, and the one whose turn it is gets broken."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass on, never broken."""
        self._pass_on(broken=False)

    def do_POST(self) -> None:
        """Pass on a search."""
        self._pass_on(broken=self.server.turn())

    def _pass_on(self, *, broken: bool) -> None:
        self.server.agents.add(self.headers.get("user-agent") or "")
        with self.server.in_flight():
            self._answer(broken=broken)

    def _answer(self, *, broken: bool) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if broken and self.server.fault in BEFORE:
            BEFORE[self.server.fault](self)
            return
        connection = http.client.HTTPConnection(self.server.upstream)
        connection.request(self.command, self.path, body or None, {"content-type": "application/json"})
        answer = connection.getresponse()
        content, kind = answer.read(), answer.getheader("content-type") or ""
        connection.close()
        if broken:
            AFTER[self.server.fault](self, content)
        else:
            self.send(answer.status, {"content-type": kind}, content)

    def send(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        """Answer; `length` may lie."""
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body) if length is None else length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Cut the connection with a reset, not with a farewell."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _status(status: int, kind: str, body: bytes, **headers: str) -> Callable[[Handler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.send(status, {"content-type": kind, **named}, body)


def _refuse(handler: Handler) -> None:
    handler.server.refuse()
    handler.reset()


def _reset_in_the_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-ty")
    handler.reset()


def _reset_in_the_body(handler: Handler, body: bytes) -> None:
    handler.send(200, JSON, body[: len(body) // 2], length=len(body))
    handler.reset()


def _cut(handler: Handler, body: bytes) -> None:
    handler.send(200, JSON, body[: len(body) // 2], length=len(body))
    handler.close_connection = True


def _short_length(handler: Handler, body: bytes) -> None:
    handler.send(200, JSON, body[: len(body) - 7])
    handler.close_connection = True


def _damaged_gzip(handler: Handler, body: bytes) -> None:
    packed = bytearray(gzip.compress(body))
    packed[len(packed) // 2] ^= 0xFF
    handler.send(200, {**JSON, "content-encoding": "gzip"}, bytes(packed))


def _drip(handler: Handler, body: bytes) -> None:
    handler.send(200, JSON, b"", length=len(body))
    for place in range(len(body)):
        if handler.server.closing.wait(0.05):
            return
        try:
            handler.wfile.write(body[place : place + 1])
        except OSError:
            handler.close_connection = True
            return


def _failed_shards(handler: Handler, body: bytes) -> None:
    page = json.loads(body)
    page["_shards"] = {"total": 1, "successful": 0, "skipped": 0, "failed": 1}
    page["hits"] = {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}
    handler.send(200, JSON, json.dumps(page).encode())


def _missing_hit(handler: Handler, body: bytes) -> None:
    page = json.loads(body)
    page["hits"]["hits"].pop(len(page["hits"]["hits"]) // 2)
    handler.send(200, JSON, json.dumps(page).encode())


def _timed_out(handler: Handler, body: bytes) -> None:
    page = json.loads(body)
    page["timed_out"] = True
    page["hits"]["hits"] = []
    handler.send(408, {"content-type": "text/plain; charset=UTF-8"}, json.dumps(page).encode())


JSON = {"content-type": "application/json; charset=UTF-8"}
BUSY = b'{"error":{"type":"circuit_breaking","reason":"rejected execution"},"status":429}'
PAGE = b"<html><body>Please sign in</body></html>"
BEFORE: dict[str, Callable[[Handler], None]] = {
    "connection refused": _refuse,
    "reset in the headers": _reset_in_the_headers,
    "429": _status(429, "application/json", BUSY),
    "429 with Retry-After": _status(429, "application/json", BUSY, retry_after="7"),
    "502": _status(502, "text/html", b"<html>bad gateway</html>"),
    "503": _status(503, "text/plain", b"OpenSearch Security not initialized."),
    "504": _status(504, "text/html", b"<html>gateway time-out</html>"),
    "a proxy's page with status 200": _status(200, "text/html", PAGE),
}
AFTER: dict[str, Callable[[Handler, bytes], None]] = {
    "reset in the middle of the body": _reset_in_the_body,
    "408 of a timed-out search": _timed_out,
    "failed shards": _failed_shards,
    "body cut short": _cut,
    "wrong content length": _short_length,
    "damaged gzip": _damaged_gzip,
    "slow drip": _drip,
    "a hit is missing": _missing_hit,
}
FAULTS = (*BEFORE, *AFTER)


class Proxy(ThreadingHTTPServer):
    """Breaks the search with number `at` (the first is 0), once or for ever; a context manager."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: str, fault: str = "", at: int = -1, *, for_ever: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlsplit(upstream).netloc
        self.fault, self._at, self._for_ever = fault, at, for_ever
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.timeout = 0.02  # of one look for a connection
        self.closing = threading.Event()
        self.searches = 0
        self.agents: set[str] = set()
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()
        self._refusing, self._listening, self._deaf = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def turn(self) -> bool:
        """Count a search; tell whether it is to be broken."""
        with self._lock:
            number, self.searches = self.searches, self.searches + 1
        return 0 <= self._at <= number if self._for_ever else number == self._at

    def break_after(self, searches: int) -> int:
        """Break the search that comes after so many more; return its number."""
        with self._lock:
            self._at = self.searches + searches
            return self._at

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count the requests that are being answered at one time."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def refuse(self) -> None:
        """Stop listening: whoever comes next is refused, until `recover`."""
        self._listening.clear()
        self._refusing.set()
        self._deaf.wait(5)

    def recover(self, seconds: float = 0.0) -> None:
        """Listen again, unless the fault is there for ever; the tool calls it in place of waiting."""
        if self._refusing.is_set() and not self._for_ever:
            self._refusing.clear()
            if not self._listening.wait(5):
                raise TimeoutError("the proxy could not listen on its port again")

    def _serve(self) -> None:
        while not self.closing.is_set():
            if self._refusing.is_set():
                self.socket.close()
                self._deaf.set()
                self.closing.wait(0.005)
            elif self.socket.fileno() < 0:
                self.socket = socket.create_server(self.server_address)
                self._listening.set()
            else:
                self.handle_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about connections that were broken on purpose."""

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._thread.join()
        self.server_close()
