"""The tasks in a file, a frame, an answer or a list of hits, as stored columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.engines import arrow_rows, dataset
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.opensearch.access import DEMO
from mltasks.opensearch.decode import HitsPage
from mltasks.sources import demo, parquet, saved_answers
from mltasks.sources.json_items import Item
from mltasks.sources.resolve import TaskFile
from mltasks.tasks import conform, metadata
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def read_tasks(source: Any, tally: UnreadableCounts) -> tuple[pa.Table, Context]:
    """Return the tasks of what `resolve` gives, other than a cluster, and what is known of them.

    Raises UsageError for what is no source, DataError where tasks are incomplete or something else.
    """
    match source:
        case pd.DataFrame():
            rows, ctx = conform.from_pandas(source, tally)
            return rows, ctx or Context(source="a DataFrame")
        case pa.Table():
            return conform.conform(source, tally), Context(source="an Arrow table")
        case Dataset():
            return conform.conform(dataset.to_arrow(source), tally), source.context
        case dict():
            return _read_items([Item("", _to_json(source))], "an answer", tally)
        case list():
            items = (Item(f"hit {number}", _to_json(hit)) for number, hit in enumerate(source, 1))
            return _read_items(items, "hits", tally)
        case TaskFile():
            return _read_file(source, tally)
        case _ if isinstance(source, str) and source == DEMO:
            ctx = demo.context()
            rows, _ = saved_answers.read_file(demo.tasks_file(), DEMO, tally, ctx.readings[0].cluster)
            return rows, ctx
    frame = nw.from_native(source, pass_through=True)
    if isinstance(frame, nw.DataFrame | nw.LazyFrame):  # polars' and others'
        rows = arrow_rows.frame_to_arrow(frame.lazy())
        return conform.conform(rows, tally), Context(source=f"a {type(source).__name__}")
    raise UsageError(f"cannot read tasks from a {type(source).__name__}; see help(mltasks.load) for what can be")


def _read_file(file: TaskFile, tally: UnreadableCounts) -> tuple[pa.Table, Context]:
    if file.suffix is None:
        rows, ctx = parquet.read_folder(file.path)
    elif file.is_parquet:
        _, _, ctx = parquet.read_footer(file.path, file.name)
        rows = parquet.read(file.path, file.name)
    else:
        assert isinstance(file.path, Path)  # an object with hits was copied to one
        rows, notes = saved_answers.read_file(file.path, file.name, tally)
        return rows, Context(source=file.name, notes=tuple(notes))
    return conform.conform(rows, tally), metadata.replace(ctx or Context(source=""), source=file.name)


def _read_items(items: Iterable[Item], name: str, tally: UnreadableCounts) -> tuple[pa.Table, Context]:
    rows, notes = saved_answers.read_items(items, name, tally)
    return rows, Context(source=name, notes=tuple(notes))


def _to_json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError):  # what came out of a DataFrame: times, numbers of NumPy, NaN for missing
        return json.dumps(conform.to_json_value(value), default=str).encode()


def tables(pages: Iterable[HitsPage], tally: UnreadableCounts) -> Iterator[pa.Table]:
    """Yield the rows of pages, and add up what could not be read in them."""
    for page in pages:
        tally.add(page.tally)
        yield page.table
