"""Saved tasks: `_search` answers (.json) and hits, one per line (.ndjson)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mltasks.exceptions import DataError, UsageError
from mltasks.opensearch import search_response
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.sources import formats
from mltasks.tasks import json_values

CHUNK = 5000  # lines decoded at once
NEEDED = {"_source", "state", "task_type", "create_time"}  # a line with none of these is no task


def pages(path: Path, name: str, cluster: str | None = None) -> Iterator[HitsPage]:
    """Yield the tasks of a saved answer or of lines; raises DataError where the file is cut or holds something else."""
    suffix = formats.suffix_of(path) or ".json"
    opener, damage = formats.FORMATS[suffix].open, formats.FORMATS[suffix].damage
    assert opener is not None
    try:
        if damage and not path.stat().st_size:
            raise damage[0]("it is empty")
        with opener(path, "rb") as file:
            if suffix.startswith(".json") and not suffix.startswith(".jsonl"):
                yield from read_answer(file.read(), name)
            else:
                yield from _lines(file, name, cluster)
    except PermissionError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    except damage as error:
        raise DataError(f"{name}: cut short or damaged ({error}); fetch it anew with mltasks fetch") from error


def read_answer(body: bytes, place: str) -> Iterator[HitsPage]:
    """Yield the tasks of one saved answer; raises DataError where it is not the complete answer of `_search`."""
    try:
        page = Decoder().page(body)
    except DataError:
        found = json_values.parse_object(body.decode("utf-8", "replace"))
        if "hits" not in found and NEEDED & found.keys():  # the answer of GET tasks/<id>
            yield Decoder().lines([b" ".join(body.splitlines())])
            return
        error = found.get("error")
        words = error.get("reason") if isinstance(error, dict) else error
        kind, shown = ("an error answer", json_values.json_text(words)) if words else ("not a _search answer", None)
        said = search_response.excerpt(shown.encode() if shown else body, 160 if shown else 60)
        raise DataError(f"{place}: {kind} ({said}); save the tasks with mltasks fetch URL") from None
    wrong = _incomplete(page)
    if wrong:
        raise DataError(f"{place}: incomplete: {wrong}; read all of them with mltasks fetch URL")
    yield page


def _incomplete(page: HitsPage) -> str:
    if page.timed_out:
        return "the search timed out"
    if page.shards is not None and page.shards.failed:
        return f"{page.shards.failed} of {page.shards.total} shards failed"
    if page.total is None:
        return "it does not say how many tasks there are (hits.total)"
    if page.total.relation != "eq":
        return f"it holds {page.table.num_rows} of more than {page.total.value} tasks"
    if page.table.num_rows < page.total.value:
        return f"it holds {page.table.num_rows} of {page.total.value} tasks"
    return ""


def _lines(file: BinaryIO, name: str, cluster: str | None) -> Iterator[HitsPage]:
    decoder = Decoder(cluster)
    lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
    checked_kind = False
    while chunk := list(itertools.islice(lines, CHUNK)):
        if not checked_kind:
            _check_kind(name, chunk)
            checked_kind = True
        number, last = chunk[-1]
        if not last.endswith(b"\n") and not _is_complete_json(last):
            end = search_response.excerpt(last[-40:], 40)
            raise DataError(f"{name}, line {number}: cut short (it ends {end}); fetch it anew with mltasks fetch")
        yield decoder.lines([line.rstrip() for _, line in chunk])


def _check_kind(name: str, chunk: list[tuple[int, bytes]]) -> None:
    """Tell lines of tasks from any other file by the first JSON object; broken lines may stand before it."""
    objects = ((number, line) for number, line in chunk if line.lstrip().startswith(b"{") and _is_complete_json(line))
    number, line = next(objects, chunk[0])
    cut = (
        line.startswith(b"{") and not line.endswith(b"\n") and not _is_complete_json(line)
    )  # the only line, half of one
    if not cut and not NEEDED & json_values.parse_object(line.decode("utf-8", "replace")).keys():
        said = search_response.excerpt(line, 60)
        raise DataError(f"{name}, line {number}: no hit of _search ({said}); make such a file with mltasks fetch")


def _is_complete_json(line: bytes) -> bool:
    try:
        search_response.loads(line)
    except ValueError:
        return False
    except RecursionError:
        return True  # whether it is, is found out where it is read
    return True
