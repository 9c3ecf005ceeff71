"""Read the tasks of any SOURCE: `load` to a DataFrame, `scan` to a Dataset that reports read lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Unpack

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines import dataset
from mltasks.engines.data_files import LOCAL, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.engines.reader import Reader, make_reader
from mltasks.exceptions import UsageError
from mltasks.opensearch.access import Access, Query, with_query
from mltasks.sources import merge, parquet
from mltasks.sources.read_rows import read_rows, reject_query
from mltasks.sources.resolve import TaskFile, are_several, resolve
from mltasks.tasks import (
    conform,
    filter_options,
    filter_values,
    filters,
    letter_case,
    metadata,
    table,
)
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

PARQUET = (".parquet", None)  # suffixes of what is a Parquet file, or a folder of such
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def load(
    source: Any, access: Access | None = None, *, query: Query = None, **options: Unpack[FilterOptions]
) -> pd.DataFrame:
    """Return every task of a source, one row per task.

    Complete, or an error: every page of a cluster's answer proves that it is whole. Windows are half-open
    (since <= create_time < until); a relative time such as ``"7d"`` counts back from the time of the data.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        ``"demo"``, ``"-"`` (standard input), a cluster's URL, a store's folder, a saved `_search` answer or hits
        (.json, .ndjson, .jsonl; also .gz and .zst), a Parquet file or a folder of such, ``"s3://bucket/prefix"`` with
        Parquet or a published store, the name of a configured cluster, or a list of these; a name that can mean several
        of these means the first. Also a saved answer as a dict, hits as a list of dicts, a frame of tasks (pandas,
        polars, Arrow, a DuckDB relation).

    Returns
    -------
    pandas.DataFrame
        The task table: cluster, task_id, task_type, function_name, state, ..., and the derived columns outcome,
        duration_s [s], duration_status, reason, failed_nodes. Times are UTC. What is known of the reading, a `Context`,
        is in `attrs`.

    Raises
    ------
    UsageError
        For a source that is not there, and a filter that cannot be read or names a value that nothing has.
    ClusterError
        Where a cluster cannot be reached or asked.
    DataError
        Where the tasks are incomplete, or something else.

    Warns
    -----
    TaskDataWarning
        About values that could not be read: they are missing, and counted.

    Examples
    --------
    >>> tasks = mltasks.load("demo", task_type="TRAINING", outcome="failed")
    >>> len(tasks)
    74
    """
    access = with_query(access, query)
    rows, ctx, chosen = read_rows(source, access, options, window="created", work=table.derive)
    filter_values.check_values(chosen, ctx, lambda column: pc.unique(rows[column]).to_pylist())
    rows = table.apply_filters(rows, ctx, chosen)
    if access.redact:
        from mltasks.tasks import redact  # here, since few ask for it and its patterns take time

        rows, ctx = redact.table(rows, ctx), redact.context(ctx)
    return table.to_pandas(rows, ctx)


def scan(
    source: Any,
    access: Access | None = None,
    *,
    query: Query = None,
    engine: str | None = None,
    session: Any = None,
    **options: Unpack[FilterOptions],
) -> Dataset:
    """Open a source for reports, which read as much of it as they need.

    A Parquet file of ours, or a store, is not read here but by the report, out of core: it may be larger than memory.
    The filters are kept with the Dataset: each report applies them by its own kind of window.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    engine : str, optional
        What reports run on: ``"duckdb"``, in this process, unless told otherwise; or ``"spark"``, which reads files and
        stores itself, so that its workers have to see the same paths.
    session : SparkSession, optional
        For Spark, classic or of Spark Connect; else the one that is active, or a new one on this machine.

    Returns
    -------
    Dataset
        What every report takes in the place of a DataFrame.

    Raises
    ------
    UsageError, ClusterError, DataError
        As `load` does.

    Examples
    --------
    >>> tasks = mltasks.scan("demo", since="10m")
    >>> mltasks.failures(tasks, by=[])[["tasks", "failed"]].values.tolist()
    [[252, 74]]
    """
    return scan_with(make_reader(engine, session), source, with_query(access, query), options)


def scan_with(reader: Reader, source: Any, access: Access, options: Mapping[str, Any]) -> Dataset:
    """Open a source for reports as `scan` does, with a reader that is ready."""
    if are_several(source):
        datasets = [scan_with(reader, one, access, filter_options.loosen(options)) for one in source]
        return combine(datasets, options, is_redacted=access.redact, reader=reader)
    source = resolve(source, access)
    if isinstance(source, Dataset) and isinstance(source.frame, DataFiles) and not access.redact:
        reject_query(access, source)
        chosen = filters.combine(source.filters, filter_options.parse(options, source.context.as_of_ms))
        description = filters.merge_descriptions(source.context.filters, chosen.describe())
        frame = source.frame if reader.is_local else replace(source.frame, reader=reader)
        return Dataset(frame, metadata.replace(source.context, filters=description), chosen)
    if isinstance(source, TaskFile) and source.is_parquet and not access.redact:
        columns, count, ctx = parquet.read_footer(source.path, source.name)
        if ctx is not None and ctx.rows == count and ctx.as_of_ms is not None and conform.is_stored(columns):
            reject_query(access, source)
            chosen = filter_options.parse(options, ctx.as_of_ms)
            ctx = metadata.replace(
                ctx, source=source.name, filters=filters.merge_descriptions(ctx.filters, chosen.describe())
            )
            return Dataset(dataset.scan(source.path, reader), ctx, chosen)
    if isinstance(source, TaskFile) and source.suffix in PARQUET and not reader.is_local and not access.redact:
        reject_query(access, source)
        return _open_files(reader, source, options)
    rows, ctx, chosen = read_rows(source, access, options, window="in_flight")
    if access.redact:
        rows, ctx, chosen = _redact(rows, ctx, chosen)
    return Dataset(dataset.scan_rows(rows, ctx, reader), ctx, chosen)


def _open_files(reader: Reader, file: TaskFile, options: Mapping[str, Any]) -> Dataset:
    """Return anybody's Parquet file, or folder of such, as its engine reads it, with what the first one tells."""
    frame, assumed = reader.open_files(file.path)
    own = parquet.read_context(file.path)
    ctx = assumed if own is None or own.as_of_ms is None else metadata.replace(own, notes=(*own.notes, *assumed.notes))
    chosen = filter_options.parse(options, ctx.as_of_ms)
    description = filters.merge_descriptions(ctx.filters, chosen.describe())
    return Dataset(frame, metadata.replace(ctx, source=file.name, rows=None, filters=description), chosen)


def _redact(rows: pa.Table, ctx: Context, chosen: Filters) -> tuple[pa.Table, Context, Filters]:
    """Return tasks without what `redact` masks, and filters that still select what they mean."""
    from mltasks.tasks import redact

    words = redact.filter_words(chosen, rows, ctx)
    if chosen.error:  # what it looks for may be masked
        derived: Any = nw.from_native(table.derive(rows, ctx), eager_only=True)
        rows = Filters(error=chosen.error).apply(derived, {}, {}).to_native().select(rows.column_names)
    masked = redact.context(metadata.replace(ctx, filters=ctx.filters | words.describe()))
    return redact.table(rows, ctx), masked, words


def combine(
    datasets: Sequence[Dataset],
    options: Mapping[str, Any] = NO_OPTIONS,
    *,
    is_redacted: bool = False,
    reader: Reader = LOCAL,
) -> Dataset:
    """Return several Datasets as one; each task is there once.

    Stores of different clusters are not read here; all else is read whole. `options`: the filters, whose relative times
    count from the latest as_of of all; the Datasets were scanned with what `filter_options.loosen` makes of them.
    `is_redacted`: their tasks are masked, so that the filters have the words of the Datasets.
    """
    dataset = _combine(datasets, reader)
    chosen = filters.with_confirmed(
        filter_options.parse(options, dataset.context.as_of_ms), [each.filters for each in datasets]
    )
    if is_redacted:
        masked = [each.filters for each in datasets]
        nodes = (word for each in masked for word in each.node)
        there = {letter_case.fold(reading.cluster or "") for reading in dataset.context.readings}
        clusters = [word for each in masked for word in each.cluster if word in there] or chosen.cluster
        chosen = replace(chosen, node=tuple(dict.fromkeys(nodes)), cluster=tuple(dict.fromkeys(clusters)), error=())
    description = filters.merge_descriptions(dataset.context.filters, chosen.describe())
    return replace(dataset, context=metadata.replace(dataset.context, filters=description), filters=chosen)


def _combine(datasets: Sequence[Dataset], reader: Reader) -> Dataset:
    if len(datasets) == 1:
        return datasets[0]
    stores = [each.frame for each in datasets if isinstance(each.frame, DataFiles)]
    clusters = [cluster for store in stores for cluster in {part.cluster for part in store.parts}]
    if len(stores) == len(datasets) and len(set(clusters)) == len(clusters):
        files = replace(stores[0], parts=tuple(part for store in stores for part in store.parts))
        return Dataset(files, metadata.merge([d.context for d in datasets]), datasets[-1].filters)
    if not reader.is_local:
        raise UsageError(
            f"engine {reader.engine}: several sources are read as one only where they are stores of different "
            "clusters; give one source, such as a folder of Parquet files"
        )
    parts = [(conform.conform(dataset.to_arrow(d), UnreadableCounts()), d.context, d.filters) for d in datasets]
    rows, ctx, chosen = merge.concat(parts)
    return Dataset(dataset.scan_rows(rows, ctx), ctx, chosen)
