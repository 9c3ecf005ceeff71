"""Hits to columns: the one place where documents become rows of the task table."""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import cells, schema
from mltasks.cells import Tally
from mltasks.parser import HIT_FIELDS, SOURCE_COLUMNS, Parser, Shards, Total


@dataclass(frozen=True)
class Page:
    """A `_search` answer: its rows in the stored columns, and what it takes to judge whether it is complete."""

    table: pa.Table
    tally: Tally  # of what could not be read in it
    total: Total | None = None
    shards: Shards | None = None
    timed_out: bool = False

    @property
    def last_seq_no(self) -> int | None:
        """The cursor: the greatest `_seq_no`; None where a hit has none."""
        column = self.table.column("seq_no")
        return None if column.null_count or not len(column) else int(pc.max(column).as_py())


DEEPEST = 5000  # levels of lists and objects in a document
Extra = defaultdict[int, dict[str, Any]]  # row -> field -> value


class Decoder:
    """Turns the pages or lines of one source into tables."""

    def __init__(self, cluster: str | None = None) -> None:
        self.cluster = cluster
        self._parser = Parser()

    def page(self, body: bytes) -> Page:
        """Decode one `_search` answer; raises DataError where it is none."""
        with nested(), uncollected():
            hits, total, shards, timed_out = self._parser.page(body)
            return Page(*self._table(hits), total, shards, timed_out)

    def lines(self, lines: Sequence[bytes]) -> Page:
        """Decode hits, one a line."""
        with nested(), uncollected():
            return Page(*self._table(self._parser.lines(lines)))

    def _table(self, hits: list[Any]) -> tuple[pa.Table, Tally]:
        tally = Tally()
        sources = [hit._source for hit in hits]
        ids = [hit._id for hit in hits]
        extra = self._extra(hits, sources, ids, tally)
        if None in sources:
            sources = [self._parser.no_source if source is None else source for source in sources]
        columns = {"cluster": pa.repeat(pa.scalar(self.cluster, pa.string()), len(hits))}
        for column in SOURCE_COLUMNS:
            values = list(map(attrgetter(column.name), sources))
            if column.kind == "json":
                values = [None if value is None else _unwrapped(value) for value in values]
            columns[column.name] = read_column(column, values, ids, tally, extra)
        for name in HIT_FIELDS:
            column = schema.COLUMNS["task_id" if name == "_id" else name[1:]]
            columns[column.name] = read_column(column, list(map(attrgetter(name), hits)), ids, tally, extra, name)
        texts = [extra_text(extra.get(row)) for row in range(len(hits))] if extra else [None] * len(hits)
        columns["extra"] = pa.array(texts, pa.string())
        names = schema.STORED_SCHEMA.names
        return pa.table([columns[name] for name in names], schema=schema.STORED_SCHEMA), tally

    def _extra(self, hits: list[Any], sources: list[Any], ids: list[Any], tally: Tally) -> Extra:
        extra: Extra = defaultdict(dict)
        if None in sources or None in ids or any(map(attrgetter("extra"), hits)):
            for row, hit in enumerate(hits):
                if hit.extra is not None:
                    extra[row].update(hit.extra)
                elif hit._source is None:
                    extra[row]["_source"] = None
                if broken := hit.broken or ("_source" if hit._source is None else None):
                    tally.unreadable(broken, ids[row], extra[row][broken])
                elif ids[row] is None:
                    tally.unreadable("task_id", f"without an id (row {row + 1} of its page)", None)
        for index, name in enumerate(self._parser.unknown):
            for row, source in enumerate(sources):
                if source is not None and (raw := getattr(source, f"unknown_{index}")) is not None:
                    extra[row][name] = cells.verbatim(bytes(raw))
        return extra


@contextmanager
def nested() -> Iterator[None]:
    """Let parsers follow documents as deep as a server may hold: it stops at 1000 levels, as Python does by default."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the cyclic garbage collector still: a page makes thousands of lists and drops them all, none in a cycle.

    It would come for each seven hundred, go through all that is imported now and then, and find nothing: measured, a
    fifth of the time of decoding.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def read_column(
    column: schema.Column, values: list[Any], ids: Sequence[Any], tally: Tally, extra: Extra, field: str | None = None
) -> pa.Array:
    """Return an Arrow array of a column's type; values that cannot be read are null, counted, and go to `extra`.

    `field` is their name there, where it is another than the column's.
    """
    fast = _fast_column(column, values)
    if fast is not None:
        return fast
    read = cells.READERS[column.kind]
    out = []
    for row, value in enumerate(values):
        cell, readable = read(value)
        out.append(cell)
        if not readable:
            tally.unreadable(column.name, ids[row], value)
            extra[row][field or column.name] = value
    return pa.array(out, column.type)


def _fast_column(column: schema.Column, values: list[Any]) -> pa.Array | None:
    """Convert a column whose values all have the usual JSON type; None where one has not."""
    try:
        match column.kind:
            case "nodes":
                return _fast_nodes(values)
            case "time" | "integer":
                return _fast_integers(column, values)
            case "number" if bool in set(map(type, values)):  # which Arrow would take for 0 and 1
                return None
        return pa.array(values, column.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _fast_integers(column: schema.Column, values: list[Any]) -> pa.Array | None:
    array = pa.array(values)  # the type that Arrow finds is the check: told one, it would cut 1.5 and take true for 1
    if pa.types.is_null(array.type):
        return array.cast(column.type)
    if array.type != pa.int64():
        return None
    if column.kind == "time":
        first, last = pc.min_max(array).as_py().values()
        if first < cells.FIRST_MS or last > cells.LAST_MS:
            return None
    return array.cast(column.type)


def _fast_nodes(values: list[Any]) -> pa.Array | None:
    if set(map(type, values)) - {list}:  # Arrow would take a text for a list of its letters
        return None
    array = pa.array(values, schema.ARROW["nodes"])
    return array if are_tidy(array) else None


def are_tidy(lists: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether lists of node ids are as `cells.nodes` makes them: no nulls, commas, blanks or empty ids."""
    nodes = pc.unique(pc.list_flatten(lists))
    odd = pc.match_substring_regex(nodes, r"^$|,|^\s|\s$")
    return not (lists.null_count or nodes.null_count or pc.any(odd).as_py())


def _unwrapped(value: Any) -> Any:
    """Return the text of a free-form field as the server wrote it; null and absent are one."""
    if isinstance(value, msgspec.Raw):
        raw = bytes(value)
        return None if raw == b"null" else cells.verbatim(raw)
    return cells.json_text(value)


def extra_text(fields: dict[str, Any] | None) -> str | None:
    """Return the text of the column `extra`: a JSON object, or null."""
    if not fields:
        return None
    parts = (f"{cells.json_text(name)}:{_value_text(value)}" for name, value in fields.items())
    return "{" + ",".join(parts) + "}"


def _value_text(value: Any) -> str:
    return value if isinstance(value, cells.Verbatim) else cells.json_text(value) or "null"
