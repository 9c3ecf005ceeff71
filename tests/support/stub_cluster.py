"""A cluster in memory: its task endpoint answers searches as the recorded ones of a real server are answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from support.documents import TRAINING

Body = dict[str, Any]
Change = Callable[
    [int, Body, Body], Any
]  # number of the search, what was asked, the true answer -> what is sent, bytes or JSON, or a status with it


class Raw(bytes):
    """An answer byte by byte, with its status and headers; the connection is closed behind it."""


class StubCluster(ThreadingHTTPServer):
    """Answers searches over `numbers` (task id -> `_seq_no`); `change` may make each answer another one.

    Everything else than the task endpoint is answered from `others` (path without its query -> answer), else with 403.
    `behind`: other clusters, by the beginning of a path, as a proxy has several behind one host.
    """

    daemon_threads = True

    def __init__(self, numbers: dict[str, int], change: Change = lambda number, asked, answer: answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.numbers, self.change = numbers, change
        self.others: dict[str, Any] = {}
        self.behind: dict[str, StubCluster] = {}
        self.asked: list[Body] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []  # of each request, with names in lower case
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def answer(self, asked: Body) -> Body:
        """Return the true answer to a search by range of `_seq_no`, or by ids."""
        filters = asked["query"]["bool"]["filter"]
        bounds: Body = next((f["range"]["_seq_no"] for f in filters if "range" in f), {})
        ids = next((f["ids"]["values"] for f in filters if "ids" in f), None)
        hits = [(n, key) for key, n in self.numbers.items() if _is_within(n, bounds) and (ids is None or key in ids)]
        hits.sort(reverse=asked["sort"][0]["_seq_no"] == "desc")
        counted, limit = len(hits), asked["track_total_hits"]
        total = {"value": counted, "relation": "eq"}
        if limit is not True and counted > limit:
            total = {"value": limit, "relation": "gte"}
        return {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"total": total, "max_score": None, "hits": [hit(key, n) for n, key in hits[: asked["size"]]]},
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that have gone."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def hit(task_id: str, number: int) -> Body:
    """Return a hit as the server writes it."""
    known = {"_id": task_id, "_version": 3, "_seq_no": number, "_primary_term": 1, "_score": None}
    return {"_index": ".plugins-ml-task", **known, "_source": TRAINING, "sort": [number]}


def _is_within(number: int, bounds: Body) -> bool:
    lowest: int = max(bounds.get("gt", -1) + 1, bounds.get("gte", 0))
    highest: int = bounds.get("lte", 2**63 - 1)
    return lowest <= number <= highest


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the client to acknowledge the headers
    server: StubCluster

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer what is asked beside the tasks."""
        server, path = self._find_server()
        server.paths.append(path)
        if path in server.others:
            self._send(200, json.dumps(server.others[path]).encode())
        else:
            self._send(403, b'{"error":{"type":"security_exception","reason":"no permissions"},"status":403}')

    def do_POST(self) -> None:
        """Answer a search."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server, path = self._find_server()
        server.paths.append(path)
        if path != "/_plugins/_ml/tasks/_search":
            self._send(200, json.dumps(server.others.get(path, {})).encode())
            return
        number = len(server.asked)
        server.asked.append(asked)
        answer = server.change(number, asked, server.answer(asked))
        if isinstance(answer, Raw):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, answer = answer if isinstance(answer, tuple) else (200, answer)
        self._send(status, answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode())

    def _find_server(self) -> tuple[StubCluster, str]:
        """Return the cluster that a request is for, and its path there."""
        path = self.path.partition("?")[0]
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        for prefix, server in self.server.behind.items():
            if path.startswith(f"{prefix}/"):
                return server, path.removeprefix(prefix)
        return self.server, path

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
