"""Talking to a server while a test is being set up: the standard library only, none of what is tested."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class RefusedError(RuntimeError):
    """The server refused a call that a test's set-up needs; the text has its answer."""


@dataclass
class Api:
    """A server by its address, `http://host:port`, or `https://host:port` with whom to trust and who asks."""

    url: str
    tls: ssl.SSLContext | None = field(default=None, kw_only=True, repr=False)

    def request(self, method: str, path: str, body: object = None, timeout: float = 60) -> tuple[int, Any]:
        """Send one request: the status and the answer, parsed if it is JSON. A `str` is sent as it is."""
        connection = self._connection(timeout)
        content = body if body is None or isinstance(body, str) else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, None if content is None else content.encode(), headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        host = address.hostname or ""
        if address.scheme == "https":
            return http.client.HTTPSConnection(host, address.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(host, address.port, timeout=timeout)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer to a call that must succeed; RefusedError for any status but 2xx."""
        status, answer = self.request(method, path, body)
        if not 200 <= status < 300:
            raise RefusedError(f"{method} {path}: {status} {json.dumps(answer)[:1000]}")
        return answer

    def bulk(self, index: str, lines: Iterable[object]) -> None:
        """Send the lines of one bulk request, and make what they write visible; RefusedError if one was."""
        content = "".join(json.dumps(line) + "\n" for line in lines)
        answer = self.ask("POST", f"/{index}/_bulk?refresh=true", content)
        results = [result for item in answer["items"] for result in item.values()]
        refused = [result for result in results if result["status"] >= 300]
        if refused:
            first = json.dumps(refused[0])[:1000]
            raise RefusedError(f"bulk into {index}: {len(refused)} of {len(results)} refused: {first}")
