"""A cluster of nothing but an index of tasks in memory, over HTTP: as much of `_search` as reading tasks takes."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

Condition = Callable[[dict[str, Any]], bool]


class FakeCluster(ThreadingHTTPServer):
    """Tasks by id. `unseen`: how many more the index has, all written before those in memory."""

    daemon_threads = True

    def __init__(self, unseen: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hits: dict[str, dict[str, Any]] = {}
        self.unseen = unseen
        self.seq_no = unseen

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that have gone."""

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_port}"

    def write(self, task_id: str, **source: Any) -> None:
        """Create a task, or update one: it gets the next number."""
        before = self.hits.get(task_id)
        version = before["_version"] + 1 if before else 1
        same = {"_index": ".plugins-ml-task", "_id": task_id, "_primary_term": 1}
        self.hits[task_id] = {**same, "_seq_no": self.seq_no, "_version": version, "_source": source}
        self.seq_no += 1

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a search."""
        hits = list(filter(_condition(body["query"]), self.hits.values()))
        (field,) = body["sort"][0].items()
        hits.sort(key=lambda hit: hit["_seq_no"], reverse=field == ("_seq_no", "desc"))
        whole = not any(word in json.dumps(body["query"]) for word in ("range", "ids", "terms"))
        total, limit = len(hits) + self.unseen * whole, body["track_total_hits"]
        if limit is not True and total > limit:
            total, relation = limit, "gte"
        else:
            relation = "eq"
        page = [{**hit, "sort": [hit["_seq_no"]]} for hit in hits[: body["size"]]]
        return {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"total": {"value": total, "relation": relation}, "max_score": None, "hits": page},
        }


def _condition(query: dict[str, Any]) -> Condition:
    """Return what tells whether a hit matches a query."""
    ((kind, what),) = query.items()
    if kind == "bool":
        every = [_condition(part) for part in [*what.get("filter", []), *what.get("must", [])]]
        some = [_condition(part) for part in what.get("should", [])]
        return lambda hit: all(part(hit) for part in every) and (not some or any(part(hit) for part in some))
    if kind == "range":
        bounds = what["_seq_no"]
        least = max(bounds.get("gte", -math.inf), bounds.get("gt", -math.inf) + 1)
        most = min(bounds.get("lte", math.inf), bounds.get("lt", math.inf) - 1)
        return lambda hit: least <= hit["_seq_no"] <= most
    if kind == "ids":
        ids = {*what["values"]}
        return lambda hit: hit["_id"] in ids
    if kind == "terms":
        return lambda hit: hit["_seq_no"] in what["_seq_no"]
    raise ValueError(f"a query that this index does not know: {kind}")


class Handler(BaseHTTPRequestHandler):
    """Answers searches of tasks; everything else is not there."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the client to acknowledge the headers
    server: FakeCluster

    def log_message(self, *parts: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer what is asked beside the tasks."""
        self._reply(*self._get())

    def do_POST(self) -> None:
        """Answer a search."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_tasks = self.path.split("?")[0] == "/_plugins/_ml/tasks/_search"
        self._reply(200, self.server.answer(body)) if is_tasks else self._reply(404, {"error": "none"})

    def _get(self) -> tuple[int, Any]:
        if self.path.startswith("/_nodes"):
            return 200, {"nodes": {"node-1": {"name": "one", "roles": ["data", "ml"]}}}
        if self.path == "/":
            return 200, {"version": {"distribution": "opensearch", "number": "3.6.0"}}
        return 404, {"error": "none"}

    def _reply(self, status: int, answer: Any) -> None:
        body = msgspec.json.encode(answer)  # as fast as a server, which json.dumps is not
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_cluster(unseen: int = 0) -> Iterator[FakeCluster]:
    """Serve an index as long as the `with` block runs."""
    with FakeCluster(unseen) as cluster:
        thread = threading.Thread(target=cluster.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield cluster
        finally:
            cluster.shutdown()
            thread.join()
