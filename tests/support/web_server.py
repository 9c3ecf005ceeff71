"""A web server on loopback that answers everything in one way, as a login page, a wrong port or a refusal does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class WebPage(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    status: ClassVar = 200
    kind: ClassVar = "text/html"
    page: ClassVar = b"<html><body>Welcome</body></html>"
    missing: ClassVar = 0  # bytes that it promises beside these, and does not send
    etag: ClassVar = ""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.send_header("content-type", self.kind)
        self.send_header("content-length", str(len(self.page) + self.missing))
        if self.etag:
            self.send_header("etag", self.etag)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.page)

    do_HEAD = do_PUT = do_GET  # noqa: N815  # http.server looks for methods of these names

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(handler: type[WebPage]) -> Iterator[str]:
    """Run a server for a while; yield its host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
