"""Saved tasks in JSON: `_search` answers, hits, documents, rows of a task table; from a file, a dict or a list.

What is not a task, or not all of an answer, is an error that names its place. Hits of another index among tasks are
left out and counted.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.exceptions import DataError, UsageError
from mltasks.opensearch import completeness, lenient_json, search_response
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.opensearch.deep_json import TooDeepError
from mltasks.sources import formats, json_items
from mltasks.sources.json_items import REMEDY, Item
from mltasks.tasks import conform, json_values
from mltasks.tasks.json_values import UnreadableCounts

CHUNK = 5000  # hits decoded at once
READ_ALL = "read all of them with mltasks fetch URL"
NOT_PROVEN = "an array of hits does not say whether it is all of an answer"


def read_file(path: Path, name: str, tally: UnreadableCounts, cluster: str | None = None) -> tuple[pa.Table, list[str]]:
    """Return the tasks of a file of JSON, and notes on them; raises DataError where it is cut or not of tasks."""
    damage: tuple[type[Exception], ...] = ()
    format_ = formats.PLAIN
    try:
        format_ = formats.format_of_text(path)
        damage = format_.damage
        assert format_.open is not None
        if damage and not path.stat().st_size:
            raise damage[0]("it is empty")
        with format_.open(path, "rb") as file:
            items = json_items.split(file, name)
            first = next(items, None)
            if first is None and formats.suffix_of(path) in formats.WHOLE:
                raise DataError(f"{name}: it is empty; {REMEDY}")
            return read_items(itertools.chain([] if first is None else [first], items), name, tally, cluster)
    except PermissionError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    except RecursionError as error:
        raise DataError(f"{name}: JSON that is nested deeper than a task can be; {REMEDY}") from error
    except damage as error:
        if not formats.has_magic(path, format_):
            kind = formats.suffix_of(path) or path.name
            text = f"{name}: not compressed as its suffix {kind} says; rename it, or fetch it anew with mltasks fetch"
            raise DataError(text) from error
        raise DataError(f"{name}: cut short or damaged ({error}); fetch it anew with mltasks fetch") from error


def read_items(
    items: Iterable[Item], name: str, tally: UnreadableCounts, cluster: str | None = None
) -> tuple[pa.Table, list[str]]:
    """Return the tasks in JSON values, and notes on them; raises DataError, naming the place of what is not a task."""
    notes: list[str] = []
    tables = [conform.EMPTY]
    hits, others = 0, tally.other_indices.copy()
    for page in _pages(iter(items), name, Decoder(cluster), notes):
        page.tally.other_indices.update(page.other_indices)
        tally.add(page.tally)
        hits += page.hits
        tables.append(page.table)
    rows = pa.concat_tables(tables)
    if hits and not any(rows.num_rows - rows[column].null_count for column in search_response.TASK_FIELDS):
        indices = ", ".join(sorted((tally.other_indices - others).keys()))
        where = f"its hits are of {indices}" if indices else "no hit has a state, a task_type or a create_time"
        raise DataError(f"{name}: no task in it: {where}; tasks come from POST /_plugins/_ml/tasks/_search")
    for row in _empty_rows(rows):
        task = rows["task_id"][row].as_py()
        raise DataError(
            f"{name}: the hit {task} says nothing of a task: no state, no task_type, no create_time; {REMEDY}"
        )
    return rows, [*notes, tally.describe_left_out()] if tally.other_indices else notes


def _empty_rows(rows: pa.Table) -> list[int]:
    """Return the places of rows that say nothing of a task."""
    if not rows.num_rows:  # Arrow 22 ends the process where it looks for places in a column of no chunks
        return []
    empty = functools.reduce(pc.and_, [pc.is_null(rows[column]) for column in search_response.TASK_FIELDS])
    places: list[int] = pc.indices_nonzero(empty).to_pylist()
    return places


def _pages(items: Iterator[Item], name: str, decoder: Decoder, notes: list[str]) -> Iterator[HitsPage]:
    first, items = _peek(items)
    if is_array := first is not None and first.raw.startswith(b"["):
        first, items = _peek(itertools.chain.from_iterable(map(_elements, items)))
    if first is not None and _is_answer(first.raw):
        yield from _read_answers(items, name, decoder)
        return
    if is_array:
        notes.append(NOT_PROVEN)
    while chunk := list(itertools.islice(items, CHUNK)):
        page = decoder.lines([item.raw for item in chunk])
        if page.broken:
            place, reason = page.broken
            raise DataError(f"{_name_place(name, chunk[place])}: {reason}; {REMEDY}")
        yield page


def _peek(items: Iterator[Item]) -> tuple[Item | None, Iterator[Item]]:
    first = next(items, None)
    return first, itertools.chain([] if first is None else [first], items)


def _elements(item: Item) -> list[Item]:
    return json_items.elements(item) if item.raw.startswith(b"[") else [item]


def _name_place(name: str, item: Item) -> str:
    return f"{name}, {item.place}" if item.place else name


def _is_answer(raw: bytes) -> bool:
    """Tell an answer (of a search, of several, or an error) from a hit and from a document."""
    names = json_items.member_names(raw)
    if "_source" in names or not search_response.TASK_FIELDS.isdisjoint(names):
        return False
    return not names.isdisjoint({"hits", "responses", "took", "error"})


def _read_answers(items: Iterator[Item], name: str, decoder: Decoder) -> Iterator[HitsPage]:
    """Yield the pages of answers, once it is sure that they are complete."""
    pages = []
    for item in itertools.chain.from_iterable(map(_responses, items)):
        page = _read_answer(item.raw, _name_place(name, item), decoder)
        if page.broken:
            raise DataError(f"{_name_place(name, item)}, {completeness.why_incomplete(page)}; {REMEDY}")
        if reason := completeness.why_incomplete(page):
            raise DataError(f"{_name_place(name, item)}: incomplete: {reason}; {READ_ALL}")
        pages.append(page)
    if reason := completeness.why_too_few(pages):
        raise DataError(f"{name}: incomplete: {reason}; {READ_ALL}")
    yield from pages


def _responses(item: Item) -> list[Item]:
    """Return the answers in an answer of `_msearch`; of any other, the answer itself."""
    if "responses" not in json_items.member_names(item.raw):
        return [item]
    before = f"{item.place}, " if item.place else ""
    values = lenient_json.loads(item.raw)["responses"]
    return [Item(f"{before}response {n}", json.dumps(value).encode()) for n, value in enumerate(values, 1)]


def _read_answer(body: bytes, place: str, decoder: Decoder) -> HitsPage:
    try:
        return decoder.page(body)
    except TooDeepError:
        raise
    except DataError:
        error = json_values.parse_object(body.decode("utf-8", "replace")).get("error")
    words = error.get("reason") if isinstance(error, dict) else error
    kind, shown = ("an error answer", json.dumps(words).encode()) if words else ("not a _search answer", body)
    excerpt = lenient_json.excerpt(shown, 160 if words else 60)
    raise DataError(f"{place}: {kind} ({excerpt}); {REMEDY}")
