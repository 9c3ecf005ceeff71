"""The bytes of a `_search` answer, or of lines, to hits: fast where they are well-formed, forgiving where not.

msgspec takes a page whole. What it refuses (half a character, 1e999, a hit that is none) is read again hit by hit
with the standard library, so that one bad document costs a counted warning and not the page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from mltasks import schema
from mltasks.errors import DataError

HIT_FIELDS = ("_id", "_seq_no", "_primary_term", "_version")
SOURCE_COLUMNS = tuple(
    c for c in schema.STORED if c.name not in ("cluster", "task_id", "extra") and f"_{c.name}" not in HIT_FIELDS
)
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)` - at `[^`]*`", re.DOTALL)
MOST_UNKNOWN = 50  # names of unknown fields to learn; a document with more is read by the standard library
REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Shards(msgspec.Struct):
    """How many shards were asked, and how many answered."""

    total: int = 0
    successful: int = 0
    skipped: int = 0
    failed: int = 0


class Total(msgspec.Struct):
    """How many hits there are; `relation` is eq, or gte when counting was cut."""

    value: int = 0
    relation: str = "eq"


class Hits(msgspec.Struct):
    """The inner part of an answer."""

    hits: list[msgspec.Raw]
    total: Total | None = None


class Answer(msgspec.Struct):
    """A `_search` answer; `hits` are structs with `_id`, `_seq_no`, `_source` and `extra` once parsed."""

    hits: Hits
    timed_out: bool = False
    _shards: Shards | None = None


class Parser:
    """Parses the pages of one source. It learns the fields that this version does not know: `unknown`, in order."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._build()

    def _build(self) -> None:
        known = [
            (c.name, msgspec.Raw, msgspec.Raw()) if c.kind == "json" else (c.name, Any, None) for c in SOURCE_COLUMNS
        ]
        learnt = [(f"unknown_{n}", msgspec.Raw, msgspec.Raw()) for n in range(len(self.unknown))]
        self._source = msgspec.defstruct(
            "Source",
            [*known, *learnt],
            rename={f"unknown_{n}": name for n, name in enumerate(self.unknown)},
            forbid_unknown_fields=True,
            gc=False,
        )
        source: Any = self._source
        self._hit = msgspec.defstruct(
            "Hit",
            [
                *((name, Any, None) for name in HIT_FIELDS),
                ("_source", source | None, None),
                ("extra", dict | None, None),
            ],
            rename={"extra": "mltasks:extra"},  # a place of ours, not a field of a hit
            gc=False,
        )
        hit: Any = self._hit
        hits = msgspec.defstruct("Hits", [("hits", list[hit]), ("total", Total | None, None)])
        self._pages = msgspec.json.Decoder(
            msgspec.defstruct("Answer", [("hits", hits), ("timed_out", bool, False), ("_shards", Shards | None, None)])
        )
        self._lists = msgspec.json.Decoder(list[hit])

    def page(self, body: bytes) -> tuple[list[Any], Total | None, Shards | None, bool]:
        """Return hits, total, shards and timed_out of a `_search` answer; raises DataError where it is none."""
        answer = self._fast(lambda: self._pages.decode(body))
        if answer is None:
            answer, hits = _careful_page(body)
            return [self._careful(raw) for raw in hits], answer.hits.total, answer._shards, answer.timed_out
        return answer.hits.hits, answer.hits.total, answer._shards, answer.timed_out

    def lines(self, lines: Sequence[bytes]) -> list[Any]:
        """Return the hits of lines: hits as `_search` gives them, or their `_source` alone."""
        hits = self._fast(lambda: self._lists.decode(b"[" + b",".join(lines) + b"]"))
        if hits is None or len(hits) != len(lines) or any(hit._source is None for hit in hits):
            return [self._careful(line) for line in lines]
        return list(hits)

    def _fast(self, decode: Any) -> Any:
        while True:
            try:
                return decode()
            except REFUSED as refused:
                found = UNKNOWN_FIELD.fullmatch(str(refused))
                if not found or len(self.unknown) >= MOST_UNKNOWN or found[1] in self.unknown:
                    return None
                self.unknown.append(found[1])
                self._build()

    def _careful(self, raw: bytes) -> Any:
        """Read one hit with the standard library; what is no hit becomes one that holds nothing but its text."""
        try:
            hit = loads(raw)
        except (ValueError, RecursionError):
            hit = None
        if not isinstance(hit, dict):
            return self._hit(extra={"hit": raw.decode("utf-8", "replace")})
        source = hit.get("_source")
        if "_source" not in hit and not hit.keys().isdisjoint({"state", "task_type", "create_time"}):
            source = {k: v for k, v in hit.items() if k not in (*HIT_FIELDS, "task_id")}
            hit = {"_id": hit.get("task_id"), **hit}
        extra: dict[str, Any] = {}
        if not isinstance(source, dict):
            extra, source = {"_source": source}, {}
        known = {c.name for c in SOURCE_COLUMNS}
        extra |= {name: value for name, value in source.items() if name not in known}
        fields = {name: value for name, value in source.items() if name in known}
        return self._hit(*(hit.get(n) for n in HIT_FIELDS), _source=self._source(**fields), extra=extra or None)


def _careful_page(body: bytes) -> tuple[Answer, list[bytes]]:
    try:
        answer = msgspec.json.decode(body, type=Answer)
        return answer, [bytes(raw) for raw in answer.hits.hits]
    except REFUSED:
        pass
    try:
        whole = loads(body)
        hits = whole["hits"]["hits"]
        frame = {**whole, "hits": {**whole["hits"], "hits": []}}
        return msgspec.convert(frame, Answer), [json.dumps(hit).encode() for hit in hits]
    except (ValueError, RecursionError, KeyError, TypeError) as refused:
        raise DataError(f"not a _search answer: {excerpt(body)}") from refused


def raw_hits(body: bytes) -> list[bytes]:
    """Return the hits of an answer as they came."""
    return _careful_page(body)[1]


def loads(raw: bytes) -> Any:
    """Parse JSON as the standard library does; a number beyond a float's range stays the text it was."""
    return json.loads(raw.decode("utf-8", "replace"), parse_float=_float, parse_constant=str)


def _float(text: str) -> float | str:
    found = float(text)
    return found if math.isfinite(found) else text


def excerpt(body: bytes, length: int = 120) -> str:
    """Return the beginning of a body for an error message, on one line and harmless."""
    text = " ".join(body[: length * 2].decode("utf-8", "replace").split())
    return ascii(text[:length])[1:-1] + ("..." if len(text) > length else "")
