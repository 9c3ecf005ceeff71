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

from mltasks.exceptions import DataError
from mltasks.opensearch.deep_json import DeepValues
from mltasks.tasks import schema

HIT_FIELDS = ("_id", "_seq_no", "_primary_term", "_version")
SOURCE_COLUMNS = tuple(
    c for c in schema.STORED if c.name not in ("cluster", "task_id", "extra") and f"_{c.name}" not in HIT_FIELDS
)
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)` - at `[^`]*`", re.DOTALL)
UNLEARNABLE = re.compile(r'[\\"\x00-\x1f]')  # what msgspec takes in no name of a field
MOST_UNKNOWN = 50  # names of unknown fields to learn; a document with more is read by the standard library
REFUSED = (msgspec.DecodeError, UnicodeDecodeError)


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


class SearchResponse(msgspec.Struct):
    """A `_search` answer, its hits not yet parsed."""

    hits: Hits
    timed_out: bool = False
    _shards: Shards | None = None


class Parser:
    """Parses the pages of one source. It learns the fields that this version does not know: `unknown`, in order.

    A hit is a struct with `_id`, `_seq_no`, ..., `_source` (a struct of SOURCE_COLUMNS and the unknown fields, or
    None), `extra` (fields that are in neither) and `broken` (the name in `extra` of what is no hit or no source).
    """

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._build()

    def _build(self) -> None:
        known = [(c.name, msgspec.Raw if c.kind == "json" else Any, None) for c in SOURCE_COLUMNS]
        learnt = [(f"unknown_{n}", msgspec.Raw, None) for n in range(len(self.unknown))]
        self._source = msgspec.defstruct(
            "Source",
            [*known, *learnt],
            rename={f"unknown_{n}": name for n, name in enumerate(self.unknown)},
            forbid_unknown_fields=True,
            gc=False,
        )
        self.no_source = self._source()  # in the place of one that a hit has not
        source: Any = self._source
        self._hit = msgspec.defstruct(
            "Hit",
            [
                *((name, Any, None) for name in HIT_FIELDS),
                ("_source", source | None, None),
                ("extra", dict | None, None),
                ("broken", str | None, None),
            ],
            rename={"extra": "mltasks:extra", "broken": "mltasks:broken"},  # places of ours, not fields of a hit
            gc=False,
        )
        hit: Any = self._hit
        hits = msgspec.defstruct("Hits", [("hits", list[hit]), ("total", Total | None, None)])
        self._pages = msgspec.json.Decoder(
            msgspec.defstruct("Answer", [("hits", hits), ("timed_out", bool, False), ("_shards", Shards | None, None)])
        )
        self._lists = msgspec.json.Decoder(list[hit])

    def page(self, body: bytes) -> tuple[list[Any], Total | None, Shards | None, bool]:
        """Return hits, total, shards and timed_out of a `_search` answer; raises DataError where it is none.

        Raises RecursionError where it is nested deeper than Python follows, as `lines` does.
        """
        answer = self._fast(lambda: self._pages.decode(body))
        if answer is None:
            answer, hits = _lenient_page(body)
            return [self._lenient(raw) for raw in hits], answer.hits.total, answer._shards, answer.timed_out
        return answer.hits.hits, answer.hits.total, answer._shards, answer.timed_out

    def lines(self, lines: Sequence[bytes]) -> list[Any]:
        """Return the hits of lines: hits as `_search` gives them, or their `_source` alone."""
        hits = self._fast(lambda: self._lists.decode(b"[" + b",".join(lines) + b"]"))
        if hits is None or len(hits) != len(lines) or any(hit._source is None for hit in hits):
            return [self._lenient(line) for line in lines]
        return list(hits)

    def _fast(self, decode: Any) -> Any:
        while True:
            try:
                return decode()
            except REFUSED as refused:
                found = UNKNOWN_FIELD.fullmatch(str(refused))
                if not found or len(self.unknown) >= MOST_UNKNOWN or not self._learn(found[1]):
                    return None

    def _learn(self, name: str) -> bool:
        """Make a place for an unknown field; return whether there is a new one."""
        if name in self.unknown or UNLEARNABLE.search(name):
            return False
        self.unknown.append(name)
        self._build()
        return True

    def _lenient(self, raw: bytes) -> Any:
        """Read one hit with the standard library; what is no hit becomes one that holds nothing but its text."""
        try:
            hit = loads(raw)
        except ValueError:
            hit = None
        if not isinstance(hit, dict):
            return self._hit(extra={"hit": raw.decode("utf-8", "surrogateescape")}, broken="hit")
        source = hit.get("_source")
        if "_source" not in hit and not hit.keys().isdisjoint({"state", "task_type", "create_time"}):
            source = {name: value for name, value in hit.items() if name not in HIT_FIELDS}
            if hit.get("_id") is None:
                hit["_id"] = source.pop("task_id", None)
        if not isinstance(source, dict):
            name, kept = ("_source", source) if "_source" in hit else ("hit", raw.decode("utf-8", "surrogateescape"))
            return self._hit(*(hit.get(n) for n in HIT_FIELDS), extra={name: kept}, broken=name)
        known = {c.name for c in SOURCE_COLUMNS}
        extra = {name: value for name, value in source.items() if name not in known}
        fields = {name: value for name, value in source.items() if name in known}
        return self._hit(*(hit.get(n) for n in HIT_FIELDS), _source=self._source(**fields), extra=extra or None)


def _lenient_page(body: bytes) -> tuple[SearchResponse, list[bytes]]:
    try:
        answer = msgspec.json.decode(body, type=SearchResponse)
        return answer, [bytes(raw) for raw in answer.hits.hits]
    except REFUSED:
        pass
    try:
        whole = loads(body)
        hits = whole["hits"]["hits"]
        if not isinstance(hits, list):
            raise TypeError("hits are no list")
        frame = {**whole, "hits": {**whole["hits"], "hits": []}}
        return msgspec.convert(frame, SearchResponse), [json.dumps(hit).encode() for hit in hits]
    except (ValueError, KeyError, TypeError) as refused:
        raise DataError(f"not a _search answer: {excerpt(body)}") from refused


def raw_hits(body: bytes) -> list[bytes]:
    """Return the hits of an answer as they came; of one that msgspec refuses, their values written anew."""
    try:
        return _lenient_page(body)[1]
    except RecursionError:
        deep = DeepValues()
        hits = _lenient_page(deep.cut(body))[1]
    texts = (deep.restore(hit.decode("utf-8", "surrogateescape")) for hit in hits)
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def loads(raw: bytes) -> Any:
    """Parse JSON as the standard library does; a number that Python cannot hold stays the text it was.

    Raises ValueError, and RecursionError where it is nested deeper than Python follows.
    A byte that is no UTF-8 becomes half a character, as JSON's escapes can write it.
    """
    text = raw.decode("utf-8", "surrogateescape")
    return json.loads(text, parse_int=_int, parse_float=_float, parse_constant=str)


def _int(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # of more digits than Python converts
        return text


def _float(text: str) -> float | str:
    found = float(text)
    return found if math.isfinite(found) else text


def excerpt(body: bytes, length: int = 120) -> str:
    """Return the beginning of a body for an error message, on one line and harmless."""
    text = " ".join(body[: length * 2].decode("utf-8", "replace").split())
    return ascii(text[:length])[1:-1] + ("..." if len(text) > length else "")
