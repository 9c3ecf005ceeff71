"""Read a source whole: its stored columns, each task once, and the filters that select from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltasks import progress
from mltasks.engines.data_files import DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.sources import background, merge, source_kind
from mltasks.sources.read_tasks import read_tasks, tables
from mltasks.sources.resolve import are_several, resolve
from mltasks.tasks import conform, data_warning, deduplicate, filter_options, filter_values, filters, metadata, table
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def _as_stored(rows: pa.Table, ctx: Context) -> pa.Table:
    return rows


def read_rows(
    source: Any,
    access: Access,
    options: Mapping[str, Any],
    *,
    window: Window,
    work: Callable[[pa.Table, Context], pa.Table] = _as_stored,
) -> tuple[pa.Table, Context, Filters]:
    """Read a source whole: stored columns, each task once, its Context, and the filters, read but not yet applied.

    `work` is done on the rows; on those of a cluster while the next ones are read.
    """
    if are_several(source):
        parts = [read_rows(one, access, filter_options.loosen(options), window=window) for one in source]
        rows, ctx, _ = merge.concat(parts)
        chosen = filters.with_confirmed(filter_options.parse(options, ctx.as_of_ms), [part[2] for part in parts])
        ctx = metadata.replace(ctx, filters=filters.merge_descriptions(ctx.filters, chosen.describe()))
        return work(rows, ctx), ctx, chosen
    source, tally = resolve(source, access), UnreadableCounts()
    if isinstance(source, Cluster):
        from mltasks.opensearch import read  # here, since files need none of it

        cluster = source
        with progress.progress_bar(cluster.url, access.progress) as report:
            begun = read.start(cluster, access, options, report, window=window)
            before_walk = begun.context()
            batches = background.map_in_background(tables(begun.walk, tally), lambda rows: work(rows, before_walk))
            rows = deduplicate.deduplicate(pa.concat_tables([work(conform.EMPTY, before_walk), *batches]))
            _mask_samples(tally, access)
        ctx, chosen = begun.context(tally), begun.filters
        if access.redact:
            from mltasks.tasks import redact

            ctx = metadata.replace(ctx, source=redact.cluster_name(cluster.name) or "")
    else:
        reject_query(access, source)
        before, is_part = Filters(), False
        if isinstance(source, Dataset):
            before = source.filters
            chosen = filter_options.parse(options, source.context.as_of_ms)
            source, whole = _prune(source, filters.combine(before, chosen), window), source
            is_part = len(source.frame.parts) < len(whole.frame.parts) if isinstance(whole.frame, DataFiles) else False
        rows, ctx = read_tasks(source, tally)
        _mask_samples(tally, access)
        rows = deduplicate.deduplicate(rows)
        ctx = table.note_shared_ids(rows, table.assume_as_of(rows, ctx))
        chosen = filters.combine(before, filter_options.parse(options, ctx.as_of_ms))
        chosen = filter_values.confirm_names(chosen) if is_part else chosen
        unreadable = dict(tally.counts) or ctx.unreadable
        ctx = metadata.replace(
            ctx,
            filters=filters.merge_descriptions(ctx.filters, chosen.describe()),
            unreadable=unreadable,
            samples=tally.samples or ctx.samples,
        )
        rows = work(rows, ctx)
    data_warning.warn_once(ctx, tally, table.unknown_states(rows))
    return rows, ctx, chosen


def _mask_samples(tally: UnreadableCounts, access: Access) -> None:
    """Mask what is kept of values that could not be read, where that is asked for."""
    if access.redact:
        from mltasks.tasks import redact  # here, since few ask for it and its patterns take time

        redact.samples(tally, access.redact)


def _prune(tasks: Dataset, chosen: Filters, window: Window) -> Dataset:
    """Return a Dataset in which a store has only the files that can hold a task which the filters select."""
    if not isinstance(tasks.frame, DataFiles) or tasks.context.as_of_ms is None:
        return tasks
    return replace(tasks, frame=tasks.frame.prune(chosen, window=window))


def reject_query(access: Access, source: Any) -> None:
    """Raise UsageError where a query is asked of what is no cluster."""
    if access.query is not None:
        place = source.context.source if isinstance(source, Dataset) else getattr(source, "name", source)
        place = str(place)[:60] if isinstance(place, str | Path) else type(place).__name__
        raise source_kind.no_query(place)
