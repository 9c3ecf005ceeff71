"""A request sent before its answer is wanted: the server works on the next page while the last one is decoded.

No thread: sending and receiving are two halves anyway, and what stands in the socket meanwhile costs nothing. So an
interrupt, an error and a deadline come where they always come; and one request is under way at a time. An early
request is only ever a head start: urllib3 goes through all its steps when the answer is wanted, and finds it sent.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Mapping
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

PrefetchedRequest = tuple[str, str, bytes | None]  # method, URL, body


class TimedReader(io.RawIOBase):
    """Reads from a socket until a time is over, though every single byte comes in time."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.until: float | None = None  # by time.monotonic(); None: for ever

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there; raises TimeoutError where the time is over."""
        if self.until is not None and time.monotonic() > self.until:
            raise TimeoutError("the headers do not end")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's file, too."""
        self._raw.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """A response whose headers have to come within the time-out of one read, all of them."""

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._timeout = sock.gettimeout()
        self._reader = TimedReader(self.fp.detach())
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read status and headers."""
        self._reader.until = None if self._timeout is None else time.monotonic() + self._timeout
        super().begin()
        self._reader.until = None


class PrefetchingConnection(HTTPConnection):
    """A connection that may have sent its next request already."""

    response_class = TimedResponse
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
