"""Hits to columns: the one place where documents become rows of the task table."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.opensearch.deep_json import DeepValues
from mltasks.opensearch.search_response import HIT_FIELDS, SOURCE_COLUMNS, Parser, Shards, Status, Total, raw_hits
from mltasks.tasks import arrow_schema, json_values, schema
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.read_column import Extra, extra_text, read_column

TASK_INDEX = "ml-task"  # part of the name of the task index, and of most copies of it


@dataclass(frozen=True)
class HitsPage:
    """A `_search` answer: its rows in the stored columns, and what it takes to judge whether it is complete."""

    table: pa.Table
    tally: UnreadableCounts  # of what could not be read in it
    status: Status = field(default_factory=Status)
    body: bytes = b""  # the answer as it came
    broken: tuple[int, str] | None = None  # the place of the first hit that is not a task, and why
    other_indices: Counter[str] = field(default_factory=Counter)  # hits left out since they are of another index

    @property
    def total(self) -> Total | None:
        """How many hits the search found."""
        return self.status.total

    @property
    def shards(self) -> Shards | None:
        """How many shards were asked, and how many answered."""
        return self.status.shards

    @property
    def hits(self) -> int:
        """The number of hits, those of other indices among them."""
        rows: int = self.table.num_rows
        return rows + self.other_indices.total()

    @property
    def last_seq_no(self) -> int | None:
        """The cursor: the greatest `_seq_no`; None where a hit has none."""
        column = self.table.column("seq_no")
        return None if column.null_count or not len(column) else int(pc.max(column).as_py())


class Decoder:
    """Turns the pages or lines of one source into tables."""

    def __init__(self, cluster: str | None = None) -> None:
        self.cluster = cluster
        self._parser = Parser()

    def page(self, body: bytes) -> HitsPage:
        """Decode one `_search` answer; raises DataError where it is none."""
        deep = DeepValues()
        with without_gc():
            try:
                hits, status = self._parser.page(body)
            except RecursionError:
                hits, status = self._parser.page(deep.cut(body))
            return self._hits_page(hits, deep, status, body)

    def lines(self, lines: Sequence[bytes]) -> HitsPage:
        """Decode lines: hits, documents, or rows of a task table."""
        deep = DeepValues()
        with without_gc():
            try:
                hits = self._parser.lines(lines)
            except RecursionError:
                hits = self._parser.lines([deep.cut_or_put_aside(line) for line in lines])
            return self._hits_page(hits, deep, Status(), b"")

    def _hits_page(self, hits: list[Any], deep: DeepValues, status: Status, body: bytes) -> HitsPage:
        place, hit = next(((place, hit) for place, hit in enumerate(hits) if hit._source is None), (0, None))
        broken = None if hit is None else (place, hit.broken or f"a hit without _source (_id {hit._id!a})")
        others: Counter[str] = Counter()
        if any(_is_other(index) for index in {hit._index for hit in hits}):
            others = Counter(hit._index for hit in hits if not _is_task(hit))
            hits = [hit for hit in hits if _is_task(hit)]
        rows, tally = self._table(hits)
        return HitsPage(_restore(rows, deep), tally, status, body, broken, others)

    def narrow(self, page: HitsPage, mask: Sequence[bool]) -> HitsPage:
        """Return a page with some of its rows only; what could not be read in the others is not counted any more."""
        raw = raw_hits(page.body) if page.tally.counts else []
        if len(raw) != len(mask):
            return replace(page, table=page.table.filter(pa.array(mask)))
        rows = self.lines([hit for hit, is_kept in zip(raw, mask, strict=True) if is_kept])
        return replace(page, table=rows.table, tally=rows.tally)

    def _table(self, hits: list[Any]) -> tuple[pa.Table, UnreadableCounts]:
        tally = UnreadableCounts()
        sources = [hit._source for hit in hits]
        ids = [hit._id for hit in hits]
        extra = self._extra(hits, sources, ids, tally)
        if None in sources:
            sources = [self._parser.no_source if source is None else source for source in sources]
        columns = {"cluster": self._clusters(hits, ids, tally, extra)}
        for column in SOURCE_COLUMNS:
            values = list(map(attrgetter(column.name), sources))
            if column.kind == "json":
                values = [None if value is None else _raw_text(value) for value in values]
            columns[column.name] = read_column(column, values, ids, tally, extra)
        for name in HIT_FIELDS:
            column = schema.COLUMNS["task_id" if name == "_id" else name[1:]]
            columns[column.name] = read_column(column, list(map(attrgetter(name), hits)), ids, tally, extra, name)
        texts = [extra_text(extra.get(row)) for row in range(len(hits))] if extra else [None] * len(hits)
        columns["extra"] = pa.array(texts, pa.string())
        names = arrow_schema.STORED_SCHEMA.names
        return pa.table([columns[name] for name in names], schema=arrow_schema.STORED_SCHEMA), tally

    def _clusters(self, hits: list[Any], ids: list[Any], tally: UnreadableCounts, extra: Extra) -> pa.Array:
        names = [hit.cluster for hit in hits]
        if names.count(None) == len(names):
            return pa.repeat(pa.scalar(self.cluster, pa.string()), len(hits))
        return read_column(schema.COLUMNS["cluster"], names, ids, tally, extra)

    def _extra(self, hits: list[Any], sources: list[Any], ids: list[Any], tally: UnreadableCounts) -> Extra:
        extra: Extra = defaultdict(dict)
        if None in sources or None in ids or any(map(attrgetter("extra"), hits)):
            for row, hit in enumerate(hits):
                if hit.extra is not None:
                    extra[row].update(hit.extra)
                if ids[row] is None and hit._source is not None:
                    tally.unreadable("task_id", f"without an id (row {row + 1} of its page)", None)
        for index, name in enumerate(self._parser.unknown):
            for row, source in enumerate(sources):
                if source is not None and (raw := getattr(source, f"unknown_{index}")) is not None:
                    extra[row][name] = json_values.verbatim(bytes(raw))
        return extra


def _is_other(index: str | None) -> bool:
    return index is not None and TASK_INDEX not in index


def _is_task(hit: Any) -> bool:
    """Tell whether a hit is of the task index, or of a copy under another name: its fields tell."""
    if not _is_other(hit._index):
        return True
    source = hit._source
    return source is not None and None not in (source.task_type, source.state, source.create_time)


def _restore(rows: pa.Table, deep: DeepValues) -> pa.Table:
    """Return the rows with the values back that were cut out of their texts."""
    for index, column in enumerate(rows.schema):
        if deep.values and pa.types.is_string(column.type):
            texts = [None if text is None else _restore_text(text, deep) for text in rows.column(index).to_pylist()]
            rows = rows.set_column(index, column, pa.array(texts, column.type))
    return rows


def _restore_text(text: str, deep: DeepValues) -> str:
    return json_values.verbatim(deep.restore(text).encode("utf-8", "surrogateescape"))


@contextmanager
def without_gc() -> Iterator[None]:
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


def _raw_text(value: Any) -> Any:
    """Return the text of a free-form field as the server wrote it; null and absent are one."""
    if isinstance(value, json_values.Verbatim):
        return value
    if isinstance(value, msgspec.Raw):
        raw = bytes(value)
        return None if raw == b"null" else json_values.verbatim(raw)
    return json_values.json_text(value)
