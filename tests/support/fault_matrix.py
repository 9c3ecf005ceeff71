"""Answers that are broken on their way, or wrong, at the first question and amid the walk: all tasks, or an error.

What comes of each stands in docs/reliability.md, which `python -m support.fault_matrix` writes anew.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import mltasks
from mltasks.exceptions import Error
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.retry_policy import RetryPolicy
from support.stub_cluster import Body, Raw, StubCluster

NUMBERS = {f"task-{n}": 3 * n for n in range(30)}
SIZE, MIDDLE = 10, 2
DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: written by tests/support/fault_matrix.py -->", "<!-- end of these -->"
WHEN = {"first": 0, "middle": MIDDLE}
COLUMNS = [(place, how) for how in ("once", "for ever") for place in WHEN]
HEAD = [f"| fault | {' | '.join(f'{place}, {how}' for place, how in COLUMNS)} |", "|---" * 5 + "|"]
LOGIN = b"<html><form action=/login>Please sign in</form></html>"
GZIP = b"content-encoding: gzip"
DENIED = {"error": {"type": "security_exception", "reason": "no permissions"}, "status": 403}
Fault = Callable[[bytes], Any]  # the true answer -> what comes


def http(body: bytes, *headers: bytes, status: bytes = b"200 OK", length: int | None = None) -> Raw:
    lines = [b"HTTP/1.1 " + status, *headers, b"content-length: %d" % (len(body) if length is None else length)]
    return Raw(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Raw:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body + end)


def always(status: bytes, body: bytes = b"", *headers: bytes) -> Fault:
    return lambda true: http(body, *headers, status=status)


def hits(change: Callable[[list[Body]], list[Body]], *, total: int | None = None) -> Fault:
    """Return a fault that changes the hits of a page, and its total as well where it says one."""

    def fault(true: bytes) -> Body:
        page: Body = json.loads(true)
        has_hits = bool(page["hits"]["hits"])
        page["hits"]["hits"] = change(page["hits"]["hits"])
        if total is not None and has_hits:  # where a count lies as well, tasks may have been deleted, for all we know
            page["hits"]["total"] = {"value": total, "relation": "eq"}
        return page

    return fault


def numbered(number: Any) -> Fault:
    return hits(lambda page: [*page[:-1], *({**hit, "_seq_no": number} for hit in page[-1:])])


def replaced(old: bytes, new: bytes) -> Fault:
    return lambda true: true.replace(old, new, 1)


def earlier(true: bytes) -> Body:
    """Return the answer to the request before: its hits come from the beginning."""
    page: Body = json.loads(true)
    size = len(page["hits"]["hits"])
    with StubCluster(dict(NUMBERS)) as stub:
        body = {"size": size, "track_total_hits": size + 1, "sort": [{"_seq_no": "asc"}], "query": {}}
        body["query"] = {"bool": {"filter": [{"range": {"_seq_no": {"gte": 0}}}]}}
        return stub.answer(body)


FAULTS: dict[str, Fault] = {
    "gzip that is none": lambda true: http(true, GZIP),
    "gzip of another length": lambda true: http(gzip.compress(true), GZIP, length=len(gzip.compress(true)) + 5),
    "gzip cut short": lambda true: http(gzip.compress(true)[:-60], GZIP),
    "gzip in two members": lambda true: http(gzip.compress(true[:50]) + gzip.compress(true[50:]), GZIP),
    "the first of two members of gzip": lambda true: http(gzip.compress(true[:50]), GZIP),
    "gzip twice": lambda true: http(gzip.compress(gzip.compress(true)), GZIP),
    "gzip with bytes behind it": lambda true: http(gzip.compress(true) + b"more", GZIP),
    "gzip of nothing": lambda true: http(b"", GZIP),
    "deflate that is none": lambda true: http(true, b"content-encoding: deflate"),
    "an unknown encoding": lambda true: http(true, b"content-encoding: zip"),
    "chunked": lambda true: chunked(true[:20], true[20:]),
    "chunked and cut": lambda true: chunked(true[:20], end=b""),
    "chunked, ended too soon": lambda true: chunked(true[:20]),
    "a chunk of another length": lambda true: chunked(true[:9], end=b"ffff\r\nxx"),
    "a chunk length that is none": lambda true: chunked(end=b"zz\r\n\r\n"),
    "the answer to an earlier request": earlier,
    "103 before the answer": lambda true: Raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" + http(true)),
    "100 without an answer": lambda true: Raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 3),
    "99": always(b"99 Low"),
    "204": always(b"204 No Content"),
    "206 with a part": lambda true: http(true[:40], status=b"206 Partial Content"),
    "301 to itself": always(b"301 Moved", b"", b"location: /_plugins/_ml/tasks/_search"),
    "302 to a login": always(b"302 Found", LOGIN, b"location: https://login.example/"),
    "302 to nowhere": always(b"302 Found"),
    "304": always(b"304 Not Modified"),
    "307": always(b"307 Temporary Redirect", b"", b"location: http://127.0.0.1:1/"),
    "HTTP/0.9": lambda true: Raw(true),
    "HTTP/3.7": lambda true: Raw(b"HTTP/3.7 200 OK\r\n\r\n" + true),
    "no status": lambda true: Raw(b"HTTP/1.1\r\n\r\n" + true),
    "a status that is none": lambda true: Raw(b"HTTP/1.1 abc OK\r\n\r\n" + true),
    "a long header": lambda true: http(true, b"x: " + b"y" * 70_000),
    "two hundred headers": lambda true: http(true, *[b"x-%d: y" % n for n in range(200)]),
    "a header with NUL": lambda true: http(true, b"x: \0"),
    "a header that is none": lambda true: http(true, b"nonsense"),
    "a negative length": lambda true: http(true[:-3], length=-7),
    "nothing at all": lambda true: Raw(b""),
    "a body of nothing": lambda true: http(b""),
    "a body of NUL": lambda true: http(b"\0" * 100),
    "NUL within": lambda true: true[:40] + b"\0" + true[40:],
    "UTF-16": lambda true: http(true.decode().encode("utf-16")),
    "a byte-order mark": lambda true: b"\xef\xbb\xbf" + true,
    "a byte-order mark and half a page": lambda true: b"\xef\xbb\xbf" + true[:50],
    "a login page": lambda true: http(LOGIN, b"content-type: text/html"),
    "a login page with 401": always(b"401 Unauthorized", LOGIN),
    "401": lambda true: (401, DENIED),
    "403": lambda true: (403, DENIED),
    "403 without a text": always(b"403 Forbidden"),
    "404": lambda true: (404, {"error": "no handler found"}),
    "405": lambda true: (405, {"error": "Incorrect HTTP method"}),
    "413": lambda true: (413, LOGIN),
    "400": lambda true: (400, {"error": {"type": "parsing_exception", "reason": "unknown query"}, "status": 400}),
    "400 without a reason": lambda true: (400, {"error": {}}),
    "400 of 50 000 levels": lambda true: (400, b"[" * 50_000),
    "400 whose root cause is a text": lambda true: (400, {"error": {"root_cause": "odd", "type": "x"}}),
    "400 whose root causes are numbers": lambda true: (400, {"error": {"root_cause": [1, 2], "type": "x"}}),
    "400 whose root cause is an object": lambda true: (400, {"error": {"root_cause": {"a": 1}, "reason": [1]}}),
    "400 whose error is a number": lambda true: (400, {"error": 7}),
    "500": lambda true: (500, {"error": [1, 2]}),
    "520": always(b"520 Unknown"),
    "526": always(b"526 Invalid Certificate", LOGIN),
    "JSON of 50 000 levels": lambda true: b'{"hits":{"hits":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}}",
    "a number": lambda true: b"7",
    "a list": lambda true: b"[]",
    "null": lambda true: b"null",
    "an empty object": lambda true: b"{}",
    "two pages in one": lambda true: true + true,
    "hits that are a text": lambda true: b'{"hits":{"hits":"x"}}',
    "a total that is a text": replaced(b'"value":', b'"value":"x","y":'),
    "shards that are a list": replaced(b'"_shards":{', b'"_shards":[],"x":{'),
    "one of two shards": replaced(b'"successful":1', b'"successful":0'),
    "timed out": replaced(b'"timed_out":false', b'"timed_out":true'),
    "zero hits of zero": hits(lambda page: [], total=0),
    "fewer hits than there are": hits(lambda page: page[:4], total=4),
    "fewer hits than it says": hits(lambda page: page[:4]),
    "one hit twice and one missing": hits(lambda page: [*page[:-2], *page[:1], *page[-1:]] if len(page) > 2 else []),
    "hits in another order": hits(lambda page: [*page[1:], *page[:1]] if len(page) > 2 else []),
    "hits without a number": hits(lambda page: [{k: v for k, v in hit.items() if k != "_seq_no"} for hit in page]),
    "_seq_no 2^63-1": numbered(2**63 - 1),
    "_seq_no 2^63": numbered(2**63),
    "_seq_no -2": numbered(-2),
    "_seq_no that is a text": numbered("7"),
}


def outcome(fault: Fault, at: int, *, for_ever: bool) -> str:
    """Fetch all tasks while an answer is broken, or each from one on; return what came of it, for the table."""

    def change(n: int, asked: Body, answer: Body) -> Any:
        broken = n >= at if for_ever else n == at
        return fault(json.dumps(answer, separators=(",", ":")).encode()) if broken else answer

    failed: Error | None = None
    with tempfile.TemporaryDirectory() as folder, StubCluster(dict(NUMBERS), change) as stub:
        path = Path(folder, "tasks.parquet")
        cluster = Cluster(stub.url, timeout=5, retry_policy=RetryPolicy(sleep=lambda seconds: None))
        try:
            mltasks.fetch(cluster, path, Access(page_size=SIZE))
        except Error as error:
            failed = error
        cluster.close()
        if failed is None:
            ids = sorted(pq.read_table(path, columns=["task_id"])["task_id"].to_pylist())
            assert ids in ([], sorted(NUMBERS))
            return "complete" if ids else "no task"
        assert list(Path(folder).iterdir()) == [], "an error leaves no file"
    assert "\n" not in str(failed)
    assert stub.url in str(failed)
    assert failed.exit_code in (3, 4)
    return f"error, exit {failed.exit_code}"


def row(name: str) -> str:
    """Return what comes of a fault, as a row of the table."""
    cells = [outcome(FAULTS[name], WHEN[place], for_ever=how == "for ever") for place, how in COLUMNS]
    return f"| {name} | {' | '.join(cells)} |"


def table() -> list[str]:
    """Return the lines of the table in the documentation."""
    return DOCS.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip().splitlines()


def write_table() -> None:
    """Write the table into the documentation anew."""
    before, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
    lines = "\n".join([*HEAD, *map(row, FAULTS)])
    DOCS.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    write_table()
