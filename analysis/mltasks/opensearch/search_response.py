"""The bytes of a `_search` answer, or of lines, to hits: fast where they are well-formed, forgiving where not.

msgspec takes a page whole. What it refuses (half a character, 1e999) is read again hit by hit with the standard
library, so that one bad document costs a counted warning and not the page. What is not a task is marked `broken`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from mltasks.exceptions import DataError
from mltasks.opensearch.deep_json import MARK, DeepValues
from mltasks.opensearch.lenient_json import REFUSED, excerpt, loads
from mltasks.tasks import json_values, schema

HIT_FIELDS = ("_id", "_seq_no", "_primary_term", "_version")
SOURCE_COLUMNS = tuple(
    c for c in schema.STORED if c.name not in ("cluster", "task_id", "extra") and f"_{c.name}" not in HIT_FIELDS
)
TASK_FIELDS = frozenset({"state", "task_type", "create_time"})  # an object with none of these is not a task
BY_COLUMNS = "a table by columns, not a row a task; pandas writes rows with to_json(orient='records', lines=True)"
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)` - at `[^`]*`", re.DOTALL)
UNLEARNABLE = re.compile(r'[\\"\x00-\x1f]')  # what msgspec takes in no name of a field
DERIVED = frozenset(column.name for column in schema.DERIVED)
MOST_UNKNOWN = 50  # names of unknown fields to learn; a document with more is read by the standard library


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


class Clusters(msgspec.Struct):
    """How many clusters a search went to, and how many answered in full."""

    total: int = 0
    successful: int = 0


class Hits(msgspec.Struct):
    """The inner part of an answer."""

    hits: list[msgspec.Raw]
    total: Total | int | None = None


class Status(msgspec.Struct, kw_only=True):
    """What a `_search` answer says of its own completeness."""

    timed_out: bool = False
    terminated_early: bool | None = None
    shards: Shards | None = msgspec.field(default=None, name="_shards")
    clusters: Clusters | None = msgspec.field(default=None, name="_clusters")
    total: Total | None = msgspec.field(default=None, name="mltasks:total")  # taken from the hits


class SearchResponse(Status, kw_only=True):
    """A `_search` answer, its hits not yet parsed."""

    hits: Hits


class Parser:
    """Parses the pages of one source. It learns the fields that this version does not know: `unknown`, in order.

    A hit is a struct with `_id`, `_seq_no`, ..., `_index`, `_source` (a struct of SOURCE_COLUMNS and the unknown
    fields, or None), `cluster` (in a row of a task table), `extra` (fields that are in neither) and `broken` (why it is
    not a task).
    """

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._build()

    def _build(self) -> None:
        declared = [(c.name, msgspec.Raw if c.kind == "json" else Any, None) for c in SOURCE_COLUMNS]
        learnt = [(f"unknown_{n}", msgspec.Raw, None) for n in range(len(self.unknown))]
        self._source = msgspec.defstruct(
            "Source",
            [*declared, *learnt],
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
                ("_index", str | None, None),
                ("extra", dict | None, None),
                ("broken", str | None, None),
                ("cluster", Any, None),
            ],
            rename={name: f"mltasks:{name}" for name in ("extra", "broken", "cluster")},  # not fields of a hit
            gc=False,
        )
        hit: Any = self._hit
        hits = msgspec.defstruct("Hits", [("hits", list[hit]), ("total", Total | int | None, None)])
        self._pages = msgspec.json.Decoder(msgspec.defstruct("Answer", [("hits", hits)], bases=(Status,), kw_only=True))
        self._lists = msgspec.json.Decoder(list[hit])

    def page(self, body: bytes) -> tuple[list[Any], Status]:
        """Return the hits of a `_search` answer and its status; raises DataError where it is not one.

        Raises RecursionError where it is nested deeper than Python follows, as `lines` does.
        """
        answer = self._fast(lambda: self._pages.decode(body))
        if answer is not None:
            return answer.hits.hits, _with_total(answer)
        answer, hits = _lenient_page(body)
        return [self._lenient(raw) for raw in hits], _with_total(answer)

    def lines(self, lines: Sequence[bytes]) -> list[Any]:
        """Return the hits of lines: hits as `_search` gives them, their `_source` alone, or rows of a task table."""
        hits = self._fast(lambda: self._lists.decode(b"[" + b",".join(lines) + b"]"))
        if hits is None or len(hits) != len(lines) or any(hit._source is None for hit in hits):
            return [self._lenient(line) for line in lines]
        return list(hits)

    def _fast(self, decode: Any) -> Any:
        while True:
            try:
                return decode()
            except REFUSED as refused:
                match = UNKNOWN_FIELD.fullmatch(str(refused))
                if not match or len(self.unknown) >= MOST_UNKNOWN or not self._learn(match[1]):
                    return None

    def _learn(self, name: str) -> bool:
        """Make a place for an unknown field; return whether there is a new one."""
        if name in self.unknown or UNLEARNABLE.search(name):
            return False
        self.unknown.append(name)
        self._build()
        return True

    def _lenient(self, raw: bytes) -> Any:
        """Read one hit with the standard library; what is not a task becomes one that says why."""
        try:
            hit = loads(raw)
        except ValueError:
            hit = None
        if not isinstance(hit, dict):
            is_deep = isinstance(hit, str) and hit.startswith(MARK)
            deep = "JSON that is nested deeper than a task can be, or cut short"
            return self._hit(broken=deep if is_deep else f"not a JSON object ({excerpt(raw, 60)})")
        if "_source" not in hit and not TASK_FIELDS.isdisjoint(hit):
            return self._document(hit)
        source, meta = hit.get("_source"), {name: hit.get(name) for name in HIT_FIELDS}
        if not isinstance(source, dict):
            is_hit = not {"_id", "_index", "_source"}.isdisjoint(hit)
            what = "a hit without _source" if is_hit else "no hit of _search"
            return self._hit(**meta, broken=f"{what} ({excerpt(raw, 60)})")
        index = hit.get("_index")
        return self._hit(
            **meta, _index=index if isinstance(index, str) else None, **self._split_fields(source, keep_json=False)
        )

    def _document(self, document: dict[str, Any]) -> Any:
        """Read a `_source` alone, or a row of a task table as JSON: that has what belongs to the hit beside it."""
        if all(isinstance(document.get(name), dict) for name in TASK_FIELDS):
            return self._hit(broken=BY_COLUMNS)
        fields = dict(document)
        ids = [name for name in ("_id", "task_id", "id") if fields.get(name) is not None]
        meta = {"_id": fields.pop(ids[0]) if ids else None}
        for name in HIT_FIELDS[1:]:
            names = [key for key in (name, name[1:]) if fields.get(key) is not None]
            meta[name] = fields.pop(names[0]) if names else None
        for name in (*HIT_FIELDS, "task_id", "id", *(key[1:] for key in HIT_FIELDS[1:])):
            if fields.get(name, 0) is None:
                del fields[name]
        index = fields.pop("_index") if isinstance(fields.get("_index"), str) else None
        cluster = fields.pop("cluster", None)
        if {"outcome", "duration_status"} <= fields.keys():  # a table of ours: what is derived is computed anew
            fields = {name: value for name, value in fields.items() if name not in DERIVED}
        kept = fields.pop("extra", None)
        parts = self._split_fields(fields, keep_json=True)
        if kept is not None:
            before = kept if isinstance(kept, dict) else json_values.parse_object(kept if isinstance(kept, str) else "")
            parts["extra"] = {**(before or {"extra": kept}), **(parts["extra"] or {})}
        return self._hit(**meta, _index=index, cluster=cluster, **parts)

    def _split_fields(self, source: dict[str, Any], *, keep_json: bool) -> dict[str, Any]:
        """Return the known fields as `_source`, and the others as `extra`; with `keep_json`, texts may be JSON."""
        declared = {c.name: c for c in SOURCE_COLUMNS}
        fields = {name: value for name, value in source.items() if name in declared}
        if keep_json:
            for name, value in fields.items():
                if declared[name].kind == "json" and isinstance(value, str):
                    fields[name] = json_values.Verbatim(json_values.text(value)[0])
        extra = {name: value for name, value in source.items() if name not in declared}
        return {"_source": self._source(**fields), "extra": extra or None}


def _with_total(answer: Any) -> Status:
    """Return the status of an answer, `hits.total` in it; clients may ask for it as a bare number."""
    total = answer.hits.total
    answer.total = total if not isinstance(total, int) else Total(total) if total >= 0 else None
    status: Status = answer
    return status


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
