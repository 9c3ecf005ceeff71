"""One request over opensearch-py's connection, which hands out status, headers and bytes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import urllib3
from opensearchpy.connection import Urllib3HttpConnection

from mltasks.opensearch.prefetch import PrefetchingConnection, PrefetchingTLSConnection
from mltasks.opensearch.response import NoResponseError, Response

DRIP = 5  # times the time-out of one read, for a whole body
PART, LARGEST = 2**20, 2**26  # bytes asked for at once: where the length is not known, and at most
LARGEST_ANSWER = 2**28  # bytes of an answer, unpacked; one that is larger counts as refused for its size


class RawConnection(Urllib3HttpConnection):
    """opensearch-py's connection, handing out status, headers and bytes instead of raising and parsing."""

    _last: PrefetchingConnection | None = None  # the connection of the last answer

    def _create_urllib3_pool(self) -> None:
        super()._create_urllib3_pool()
        self.pool.ConnectionCls = PrefetchingTLSConnection if self.use_ssl else PrefetchingConnection

    def perform_request(  # bytes instead of text: a page is decoded once, by us
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        ignore: Any = (),
        headers: Mapping[str, str] | None = None,
        within: float = float("inf"),
    ) -> Response:
        """Send one request; raises NoResponseError where no complete answer came, in all `within` so many seconds."""
        limit = timeout or self.timeout
        try:
            answer = self.pool.urlopen(
                method,
                self.url_prefix + url,
                body,
                retries=urllib3.Retry(False),
                headers=self._sent(method, url, body, headers),
                timeout=limit,
                preload_content=False,
            )
            self._last = answer.connection
            body = self._receive(answer, min(limit * DRIP, within))
            if body is None:
                return Response(413, {}, f"the answer is larger than {LARGEST_ANSWER >> 20} MiB".encode())
            return Response(answer.status, self.get_response_headers(answer), body)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise NoResponseError(error) from error

    def prefetch(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request that `perform_request` is going to be called for."""
        if self._last is not None:
            self._last.prefetch(method, self.url_prefix + url, body, self._sent(method, url, body, headers))

    def cancel_prefetch(self) -> None:
        """Drop the prefetched request, where its answer is not wanted any more."""
        if self._last is not None:
            self._last.cancel()

    def _sent(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = {**self.headers, **(headers or {})}
        if callable(self.http_auth):  # a signer
            sent.update(self.http_auth(method, self.host + self.url_prefix + url, body))
        return sent

    def _receive(self, answer: urllib3.BaseHTTPResponse, seconds: float) -> bytes | None:
        """Return the body, None where it is too large; a server that drips it is given up after so many seconds."""
        until = time.monotonic() + seconds
        parts, size = [], 0
        try:
            while part := answer.read1(min(getattr(answer, "length_remaining", None) or PART, LARGEST)):
                parts.append(part)  # the only one, where all is there: joining it copies nothing
                size += len(part)
                if size > LARGEST_ANSWER:
                    answer.close()
                    return None
                if time.monotonic() > until:
                    raise urllib3.exceptions.ReadTimeoutError(self.pool, self.host, "the answer does not end")
        except BaseException:
            answer.close()  # half read, the connection is of no use any more
            raise
        answer.release_conn()
        return b"".join(parts)
