"""A proxy before an S3 server: it counts requests and bytes, and cuts the connection from a certain request on."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Passes a request on as it came: the host's name is part of what is signed."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass on, or cut."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        number = self.server.note(self.command, self.path)
        cut = self.server.cut_from is not None and number >= self.server.cut_from
        if cut and self.server.interrupts:
            os.kill(os.getpid(), signal.SIGINT)
        if cut and not (self.server.cut_answers and number == self.server.cut_from):
            self.close_connection = True
            return
        connection = http.client.HTTPConnection(self.server.upstream)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "connection"):
                connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if cut:  # the server has done it, and nobody hears of it
            self.close_connection = True
            return
        self.server.received += len(content)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        if answer.getheader("content-length") is None:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  # as http.server calls them


class Proxy(ThreadingHTTPServer):
    """Counts, and cuts.

    `cut_from`: the number of the request from which on there is no answer, from 0; `cut_answers`: it is done;
    `interrupts`: this process gets a Ctrl-C then.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.address = f"127.0.0.1:{self.server_port}"
        self._lock = threading.Lock()
        self.reset()

    def reset(self, cut_from: int | None = None, *, cut_answers: bool = False, interrupts: bool = False) -> None:
        """Begin to count anew."""
        self.cut_from, self.cut_answers, self.interrupts = cut_from, cut_answers, interrupts
        self.received = 0  # bytes of objects and lists
        self.requests: list[tuple[str, str]] = []

    def handle_error(self, *args: Any) -> None:
        """Say nothing of a client that hangs up, as one does that gets a Ctrl-C."""

    def note(self, method: str, path: str) -> int:
        """Count a request, and return its number."""
        with self._lock:
            self.requests.append((method, path))
            return len(self.requests) - 1


@contextmanager
def started(upstream: str) -> Iterator[Proxy]:
    """Run a proxy for a while."""
    with Proxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True, kwargs={"poll_interval": 0.02})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
