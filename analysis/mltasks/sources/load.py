"""Read the tasks of any SOURCE: `load` to a DataFrame, `scan` to a Dataset that reports read lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Unpack

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import progress
from mltasks.engines import dataset
from mltasks.engines.data_files import DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.opensearch import read
from mltasks.opensearch.access import Access, Query
from mltasks.opensearch.client import Cluster
from mltasks.sources import background, merge, parquet
from mltasks.sources.read_tasks import read_tasks, tables
from mltasks.sources.resolve import TaskFile, are_several, resolve
from mltasks.tasks import conform, data_warning, filters, metadata, redact, table
from mltasks.tasks.filters import FilterOptions, Filters, Window
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def load(
    source: Any, access: Access | None = None, /, *, query: Query = None, **options: Unpack[FilterOptions]
) -> pd.DataFrame:
    """Return every task of a source, one row per task: the columns of `mltasks.schema`, Context in `attrs`.

    `source`: "demo", `-` (standard input), a cluster's URL (or a `Cluster`), a store (or its folder), a saved `_search`
    answer or hits (.json, .ndjson, .jsonl; also .gz and .zst), a Parquet file or a folder of such, the name of a
    configured cluster, a list of these; a saved answer as a dict, hits as a list of dicts, a DataFrame or an Arrow
    table of tasks. A name that can mean several of these means the first.
    `query` is OpenSearch query DSL, for clusters only. Filters as in `FilterOptions`; windows go by create_time.
    Raises UsageError, ClusterError and DataError; warns with TaskDataWarning about values that it could not read.
    """
    rows, ctx, chosen = _rows(source, access or Access(), query, options, window="created", work=table.derive)
    filters.check_values(chosen, ctx, lambda column: pc.unique(rows[column]).to_pylist())
    return table.to_pandas(table.apply_filters(rows, ctx, chosen), ctx)


def scan(
    source: Any, access: Access | None = None, /, *, query: Query = None, **options: Unpack[FilterOptions]
) -> Dataset:
    """Return the tasks of a source as a Dataset, which every report takes; see `load`.

    A Parquet file of ours, or a store, is not read here but by the report, as much of it as the report needs. The
    filters are kept with the Dataset: each report applies them by its own kind of window.
    """
    access = access or Access()
    if are_several(source):
        datasets = [scan(one, access, query=query, **filters.loosen(options)) for one in source]
        return combine(datasets, options)
    source = resolve(source, access)
    if isinstance(source, Dataset) and isinstance(source.frame, DataFiles) and not access.redact:
        _no_query(access, query, source)
        chosen = filters.combine(source.filters, filters.parse(options, source.context.as_of_ms))
        told = filters.merge_descriptions(source.context.filters, chosen.describe())
        return Dataset(source.frame, metadata.replace(source.context, filters=told), chosen)
    if isinstance(source, TaskFile) and source.is_parquet and not access.redact:
        columns, count, ctx = parquet.read_footer(source.path, source.name)
        if ctx is not None and ctx.rows == count and ctx.as_of_ms is not None and conform.is_stored(columns):
            _no_query(access, query, source)
            chosen = filters.parse(options, ctx.as_of_ms)
            ctx = metadata.replace(
                ctx, source=source.name, filters=filters.merge_descriptions(ctx.filters, chosen.describe())
            )
            return Dataset(dataset.scan(source.path), ctx, chosen)
    rows, ctx, chosen = _rows(source, access, query, options, window="in_flight")
    return Dataset(dataset.scan(rows), ctx, chosen)


def combine(datasets: Sequence[Dataset], options: Mapping[str, Any] = NO_OPTIONS) -> Dataset:
    """Return several Datasets as one; each task is there once.

    Stores of different clusters are not read here; all else is read whole. `options`: the filters, whose relative times
    count from the latest as_of of all; the Datasets were scanned with what `filters.loosen` makes of them.
    """
    dataset = _combine(datasets)
    chosen = filters.with_confirmed(
        filters.parse(options, dataset.context.as_of_ms), [each.filters for each in datasets]
    )
    told = filters.merge_descriptions(dataset.context.filters, chosen.describe())
    return replace(dataset, context=metadata.replace(dataset.context, filters=told), filters=chosen)


def _combine(datasets: Sequence[Dataset]) -> Dataset:
    if len(datasets) == 1:
        return datasets[0]
    stores = [each.frame for each in datasets if isinstance(each.frame, DataFiles)]
    clusters = [cluster for store in stores for cluster in {part.cluster for part in store.parts}]
    if len(stores) == len(datasets) and len(set(clusters)) == len(clusters):
        files = DataFiles(tuple(part for store in stores for part in store.parts))
        return Dataset(files, metadata.merge([d.context for d in datasets]), datasets[-1].filters)
    parts = [(conform.conform(dataset.to_arrow(d), UnreadableCounts()), d.context, d.filters) for d in datasets]
    rows, ctx, chosen = merge.concat(parts)
    return Dataset(dataset.scan(rows), ctx, chosen)


def _as_stored(rows: pa.Table, ctx: Context) -> pa.Table:
    return rows


def _rows(
    source: Any,
    access: Access,
    query: Query,
    options: Mapping[str, Any],
    *,
    window: Window,
    work: Callable[[pa.Table, Context], pa.Table] = _as_stored,
) -> tuple[pa.Table, Context, Filters]:
    """Read a source whole: stored columns, each task once, its Context, and the filters, read but not yet applied.

    `work` is done on the rows; on those of a cluster while the next ones are read.
    """
    if are_several(source):
        parts = [_rows(one, access, query, filters.loosen(options), window=window) for one in source]
        rows, ctx, _ = merge.concat(parts)
        chosen = filters.with_confirmed(filters.parse(options, ctx.as_of_ms), [part[2] for part in parts])
        ctx = metadata.replace(ctx, filters=filters.merge_descriptions(ctx.filters, chosen.describe()))
        return work(rows, ctx), ctx, chosen
    masked = redact.table if access.redact else lambda rows: rows
    source, tally = resolve(source, access), UnreadableCounts()
    if isinstance(source, Cluster):
        cluster = source
        with progress.progress_bar(cluster.url, access.progress) as report:
            begun = read.start(cluster, access, query, options, report, window=window)
            known = begun.context()
            batches = background.map_in_background(tables(begun.walk, tally), lambda rows: work(masked(rows), known))
            rows = table.deduplicate(pa.concat_tables([work(conform.EMPTY, known), *batches]))
            redact.samples(tally, access.redact)
        ctx, chosen = begun.context(tally), begun.filters
    else:
        _no_query(access, query, source)
        before = Filters()
        if isinstance(source, Dataset):
            before = source.filters
            source = _narrowed(source, filters.combine(before, filters.parse(options, source.context.as_of_ms)), window)
        rows, ctx = read_tasks(source, tally)
        redact.samples(tally, access.redact)
        rows = table.deduplicate(rows)
        ctx = table.assume_as_of(rows, ctx)
        chosen = filters.combine(before, filters.parse(options, ctx.as_of_ms))
        unreadable = dict(tally.counts) or ctx.unreadable
        ctx = metadata.replace(
            ctx,
            filters=filters.merge_descriptions(ctx.filters, chosen.describe()),
            unreadable=unreadable,
            samples=tally.samples or ctx.samples,
        )
        rows = work(masked(rows), ctx)
    data_warning.warn_once(ctx, tally, table.unknown_states(rows))
    return rows, ctx, chosen


def _narrowed(tasks: Dataset, chosen: Filters, window: Window) -> Dataset:
    """Return a Dataset in which a store has only the files that can hold a task which the filters select."""
    if not isinstance(tasks.frame, DataFiles) or tasks.context.as_of_ms is None:
        return tasks
    return replace(tasks, frame=tasks.frame.within(chosen, window=window))


def _no_query(access: Access, query: Query, source: Any) -> None:
    if query is not None or access.query is not None:
        place = source.context.source if isinstance(source, Dataset) else getattr(source, "name", source)
        place = str(place)[:60] if isinstance(place, str | Path) else type(place).__name__
        raise UsageError(
            f"{place}: a query is for clusters; on a file use the filters, such as function_name (--function-name) "
            "or state (--state)"
        )
