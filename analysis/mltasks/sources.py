"""SOURCE to rows: a cluster, a saved answer, hits, a Parquet file, the demo, or anybody's frame."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import pandas as pd
import pyarrow as pa

from mltasks import (
    beside,
    context,
    duck,
    engines,
    filters,
    frames,
    parquet,
    progress,
    reading,
    redact,
    saved,
    several,
    table,
)
from mltasks.access import DEMO, Access, Query, open_cluster
from mltasks.cells import Tally
from mltasks.cluster import Cluster
from mltasks.context import Context
from mltasks.decode import Decoder, Page
from mltasks.engines import Dataset
from mltasks.errors import TaskDataWarning, UsageError
from mltasks.filters import FilterOptions, Filters
from mltasks.store import Store, is_store


def load(
    source: Any, access: Access | None = None, /, *, query: Query = None, **options: Unpack[FilterOptions]
) -> pd.DataFrame:
    """Return every task of a source, one row a task: the columns of `mltasks.schema`, Context in `attrs`.

    `source`: a cluster's URL (or a `Cluster`), a saved `_search` answer (.json), hits (.ndjson, .ndjson.gz), a
    Parquet file, a store (or its folder), "demo", the name of a configured cluster, a list of such; a saved answer
    as a dict, hits as a list of dicts, a DataFrame or an Arrow table of tasks.
    `query` is OpenSearch query DSL, for clusters only. Filters as in `FilterOptions`; windows go by create_time.
    Raises UsageError, ClusterError and DataError; warns with TaskDataWarning about values that it could not read.
    """
    rows, ctx, chosen = _rows(source, access or Access(), query, options, overlap=False, work=table.derive)
    return table.to_pandas(table.chosen(rows, ctx, chosen), ctx)


def scan(
    source: Any, access: Access | None = None, /, *, query: Query = None, **options: Unpack[FilterOptions]
) -> Dataset:
    """Return the tasks of a source as a Dataset on DuckDB, which every report takes; see `load`.

    A Parquet file of ours, or a store, is not read here but by the report, as much of it as the report needs. The
    filters are kept with the Dataset: each report applies them by its own kind of window.
    """
    access = access or Access()
    if (store := _store(source)) and not access.redact:
        _no_query(access, query, str(store.path))
        held = store.dataset()
        chosen = filters.read(options, held.context.as_of_ms)
        return Dataset(held.frame, context.replace(held.context, filters=chosen.describe()), chosen)
    if (path := _parquet_path(source)) and not access.redact:
        columns, count, ctx = parquet.describe(path)
        if ctx is not None and ctx.rows == count and ctx.as_of_ms is not None and frames.is_stored(columns):
            _no_query(access, query, str(path))
            chosen = filters.read(options, ctx.as_of_ms)
            ctx = context.replace(ctx, source=str(source), filters=filters.told(ctx.filters, chosen.describe()))
            return Dataset(duck.relation(path), ctx, chosen)
    rows, ctx, chosen = _rows(source, access, query, options, overlap=True)
    return Dataset(duck.relation(rows), ctx, chosen)


def together(datasets: Sequence[Dataset]) -> Dataset:
    """Return several Datasets as one; each task is there once."""
    parts = [(frames.conform(engines.to_arrow(d), Tally()), d.context, d.filters) for d in datasets]
    rows, ctx, chosen = several.combined(parts)
    return Dataset(duck.relation(rows), ctx, chosen)


def warn(ctx: Context, tally: Tally, unknown: Mapping[str, int]) -> None:
    """Warn once, with counts: of what could not be read, with a sample of each, and of states that nobody knows."""
    said = []
    if tally.counts:
        found = "; ".join(f"{name} {n} ({tally.samples[name]})" for name, n in sorted(tally.counts.items()))
        said.append(f"values that could not be read are null and kept in the column extra: {found}")
    if unknown:
        found = ", ".join(f"{ascii(state)[1:-1]} ({n})" for state, n in sorted(unknown.items()))
        said.append(f"states that this version does not know are counted as open: {found}")
    if said:
        warnings.warn(f"{ctx.source}: {'; '.join(said)}", TaskDataWarning, stacklevel=4)


def _as_stored(rows: pa.Table, ctx: Context) -> pa.Table:
    return rows


def _rows(
    source: Any,
    access: Access,
    query: Query,
    options: Mapping[str, Any],
    *,
    overlap: bool,
    work: Callable[[pa.Table, Context], pa.Table] = _as_stored,
) -> tuple[pa.Table, Context, Filters]:
    """Read a source whole: stored columns, each task once, its Context, and the filters, read but not yet applied.

    `work` is done on the rows; on those of a cluster while the next ones are read.
    """
    if isinstance(source, list | tuple) and source and all(isinstance(s, str | Path | Cluster | Store) for s in source):
        parts = [_rows(one, access, query, options, overlap=overlap) for one in source]
        rows, ctx, chosen = several.combined(parts)
        return work(rows, ctx), ctx, chosen
    masked = redact.table if access.redact else lambda rows: rows
    cluster = open_cluster(source, access)
    tally = Tally()
    if cluster is not None:
        with progress.shown(cluster.url, access.progress) as report:
            begun = reading.begin(cluster, access, query, options, report, overlap=overlap)
            known = begun.context()
            batches = beside.worked(_tables(begun.walk, tally), lambda rows: work(masked(rows), known))
            rows = table.newest(pa.concat_tables([work(frames.EMPTY, known), *batches]))
            redact.samples(tally, access.redact)
        ctx, chosen = begun.context(tally), begun.filters
    else:
        _no_query(access, query, str(source)[:60] if isinstance(source, str | Path) else type(source).__name__)
        rows, ctx = _read(source, tally)
        redact.samples(tally, access.redact)
        rows = table.newest(rows)
        ctx = table.assume_as_of(rows, ctx)
        chosen = filters.read(options, ctx.as_of_ms)
        if isinstance(source, Dataset):
            chosen = filters.merged(source.filters, chosen)
        unreadable = dict(tally.counts) or ctx.unreadable
        ctx = context.replace(
            ctx,
            filters=filters.told(ctx.filters, chosen.describe()),
            unreadable=unreadable,
            samples=tally.samples or ctx.samples,
        )
        rows = work(masked(rows), ctx)
    warn(ctx, tally, table.unknown_states(rows))
    return rows, ctx, chosen


def _collect(pages: Iterable[Page], tally: Tally) -> pa.Table:
    return table.newest(pa.concat_tables([frames.EMPTY, *_tables(pages, tally)]))


def _tables(pages: Iterable[Page], tally: Tally) -> Iterator[pa.Table]:
    for page in pages:
        tally.add(page.tally)
        yield page.table


def _read(source: Any, tally: Tally) -> tuple[pa.Table, Context]:
    if isinstance(source, pd.DataFrame):
        rows, found = frames.from_pandas(source, tally)
        return rows, found or Context(source="a DataFrame")
    if isinstance(source, pa.Table):
        return frames.conform(source, tally), Context(source="an Arrow table")
    if isinstance(source, Dataset):
        return frames.conform(engines.to_arrow(source), tally), source.context
    if isinstance(source, dict):
        return _collect(saved.answer(json.dumps(source).encode(), "the answer"), tally), Context(source="an answer")
    if isinstance(source, list):
        lines = [json.dumps(hit).encode() for hit in source]
        return _collect([Decoder().lines(lines)], tally), Context(source="hits")
    if store := _store(source):
        return _read(store.dataset(), tally)
    if not isinstance(source, str | Path):
        raise UsageError(f"cannot read tasks from a {type(source).__name__}; see help(mltasks.load) for what can be")
    if source == DEMO:
        ctx = saved.demo_context()
        return _collect(saved.pages(saved.demo("tasks.ndjson.gz"), ctx.readings[0].cluster), tally), ctx
    path = saved.checked(source)
    if _parquet_path(path):
        _, _, found = parquet.describe(path)
        return frames.conform(parquet.read(path), tally), context.replace(found or Context(source=""), source=str(path))
    return _collect(saved.pages(path), tally), Context(source=str(path))


def _store(source: Any) -> Store | None:
    if isinstance(source, Store):
        return source
    return Store(source) if isinstance(source, str | Path) and is_store(Path(source)) else None


def _parquet_path(source: Any) -> Path | None:
    if isinstance(source, str | Path) and str(source).endswith(".parquet"):
        return saved.checked(source)
    return None


def _no_query(access: Access, query: Query, place: str) -> None:
    if query is not None or access.query is not None:
        raise UsageError(
            f"{place}: a query is for clusters; on a file use the filters, such as function_name (--function-name) "
            "or state (--state)"
        )
