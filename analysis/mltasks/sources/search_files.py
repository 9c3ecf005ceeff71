"""Saved tasks: `_search` answers (.json) and hits, one a line (.ndjson, .ndjson.gz), and the demo among them."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import msgspec

from mltasks.exceptions import DataError, UsageError
from mltasks.opensearch import search_response
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.tasks import json_values
from mltasks.tasks.metadata import Context

SUFFIXES = (".parquet", ".json", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
CHUNK = 5000  # lines decoded at once
NEEDED = {"_source", "state", "task_type", "create_time"}  # a line with none of these is no task


def check_path(source: str | Path) -> Path:
    """Return the path of a source that is a file; raises UsageError where there is none, or of no known kind."""
    path = Path(source)
    if "@" in str(source) and not path.exists():  # host:port with a login before it, and no scheme: not to be repeated
        raise UsageError("SOURCE with an '@': credentials in it end up in logs; give https://host:9200 and --user")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, and no store; name a file in it, or make a store with mltasks sync")
    if not path.exists():
        hint = "a cluster is a URL such as https://localhost:9200, the example data is called demo"
        raise UsageError(f"{path}: there is no such file; {hint}")
    if not str(path).endswith(SUFFIXES):
        raise UsageError(f"{path}: of no known kind; tasks come in {', '.join(SUFFIXES)}")
    return path


def pages(path: Path, cluster: str | None = None) -> Iterator[HitsPage]:
    """Yield the tasks of a saved answer or of lines; raises DataError where the file is cut or holds something else."""
    try:
        if path.name.endswith(".json"):
            yield from read_answer(path.read_bytes(), str(path))
        else:
            yield from _lines(path, cluster)
    except PermissionError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cut short or damaged ({error}); fetch it anew with mltasks fetch") from error


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


def _lines(path: Path, cluster: str | None) -> Iterator[HitsPage]:
    decoder = Decoder(cluster)
    packed = path.name.endswith(".gz")
    if packed and not path.stat().st_size:
        raise EOFError("it is empty")
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        checked_kind = False
        while chunk := list(itertools.islice(lines, CHUNK)):
            if not checked_kind:
                _check_kind(path, chunk)
                checked_kind = True
            number, last = chunk[-1]
            if not last.endswith(b"\n") and not _is_complete_json(last):
                end = search_response.excerpt(last[-40:], 40)
                raise DataError(f"{path}, line {number}: cut short (it ends {end}); fetch it anew with mltasks fetch")
            yield decoder.lines([line.rstrip() for _, line in chunk])


def _check_kind(path: Path, chunk: list[tuple[int, bytes]]) -> None:
    """Tell lines of tasks from any other file by the first JSON object; broken lines may stand before it."""
    objects = ((number, line) for number, line in chunk if line.lstrip().startswith(b"{") and _is_complete_json(line))
    number, line = next(objects, chunk[0])
    cut = (
        line.startswith(b"{") and not line.endswith(b"\n") and not _is_complete_json(line)
    )  # the only line, half of one
    if not cut and not NEEDED & json_values.parse_object(line.decode("utf-8", "replace")).keys():
        said = search_response.excerpt(line, 60)
        raise DataError(f"{path}, line {number}: no hit of _search ({said}); make such a file with mltasks fetch")


def _is_complete_json(line: bytes) -> bool:
    try:
        search_response.loads(line)
    except ValueError:
        return False
    except RecursionError:
        return True  # whether it is, is found out where it is read
    return True


def demo(name: str) -> Path:
    """Return a file of the example data: beside the package when installed, in `data/` in a checkout."""
    here = Path(str(resources.files("mltasks")))
    return next(place for place in (here / "data" / name, here.parents[1] / "data" / name) if place.exists())


def demo_context() -> Context:
    """Return what is known of the example data's cluster."""
    return msgspec.json.decode(demo("context.json").read_bytes(), type=Context)
