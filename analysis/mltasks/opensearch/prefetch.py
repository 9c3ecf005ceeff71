"""A request sent before its answer is wanted: the server works on the next page while the last one is decoded.

No thread: sending and receiving are two halves anyway, and what stands in the socket meanwhile costs nothing. So an
interrupt, an error and a deadline come where they always come; and one request is under way at a time. An early
request is only ever a head start: urllib3 goes through all its steps when the answer is wanted, and finds it sent.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

PrefetchedRequest = tuple[str, str, bytes | None]  # method, URL, body


class PrefetchingConnection(HTTPConnection):
    """A connection that may have sent its next request already."""

    _sent: PrefetchedRequest | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the connection is good for a request; urllib3 takes one with something to read for a broken one."""
        return not self.is_closed if self._sent else super().is_connected

    def request(self, method: str, url: str, body: Any = None, *args: Any, **options: Any) -> None:
        """Send a request, unless it is the one sent early."""
        sent, self._sent = self._sent, None
        if sent is None:
            super().request(method, url, body, *args, **options)
        elif sent != (method, url, body):
            self.close()  # the answer to another question is on its way
            super().request(method, url, body, *args, **options)

    def prefetch(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request whose answer is wanted later; on a connection that is not open, nothing happens."""
        if self.is_closed or self._sent:
            return
        try:
            super().request(method, url, body, headers, preload_content=False)
            self._sent = method, url, body
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
            self.close()  # it is asked again in its turn

    def cancel(self) -> None:
        """Close the connection if an answer is on its way that nobody wants any more."""
        if self._sent:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._sent = None
        super().close()


class PrefetchingTLSConnection(PrefetchingConnection, HTTPSConnection):
    """The same over TLS."""
