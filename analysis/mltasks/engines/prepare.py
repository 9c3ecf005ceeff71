"""Any frame of tasks to the lazy frame that reports work on, in three steps: open, project, filter.

It adds the derived columns and makes times integers, so that a report is one narwhals definition for every engine, and
no session's time zone matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import arrow_rows, dataset, group_keys, shared_results
from mltasks.engines.base import NODES, Frame, engine_of, find_engine
from mltasks.engines.data_files import DataFiles
from mltasks.engines.dataset import Dataset as Dataset
from mltasks.engines.dataset import Tasks as Tasks
from mltasks.engines.dataset import to_arrow as to_arrow
from mltasks.exceptions import UsageError
from mltasks.tasks import derived, filter_options, filter_values, filters, metadata, schema, times, user_columns
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import Context

COMPUTED = (  # what reports compute with, beside keys and flags
    *("task_type", "function_name", "nodes_text", "start_ms", "created_ms", "updated_ms", "as_of_ms"),
)
OFTEN = ("reason", "end_ms")  # of what `derived.derive` adds, what several of the reports need that share results


def prepare(
    tasks: Any,
    by: str | Sequence[str],
    options: dict[str, Any],
    *,
    taken: Collection[str],
    as_of: Any = None,
    window: Window = "created",
    wanted: Collection[str] = (),
) -> Tasks:
    """Return what a report works on; `taken` are the names of its own columns, `wanted` what `derived.derive` adds.

    `tasks`: a DataFrame as from `load`, a Dataset as from `scan`, a frame of any engine, or an Arrow table. `by` is
    checked here, once, so that every engine gives the same error.
    """
    names = group_keys.parse_by(by)
    opened = open_tasks(tasks, names)
    ctx = opened.context
    if as_of is not None:
        ctx = metadata.with_as_of(ctx, times.parse_time(as_of, ctx.as_of_ms, "as_of"))
        _check_as_of(opened, ctx)
    both = (opened.filters, filter_options.parse(options, ctx.as_of_ms))
    for each in both:
        filter_values.check_values(each, ctx, lambda column: _values(opened, column))
    native = shared_results.compute_once(
        opened.frame, ("prune", both, window), lambda: _prune(opened.frame, both, window)
    )
    with engine_of(native).translate_errors():
        keys = group_keys.resolve_keys(names, nw.from_native(native).collect_schema(), taken)
        nodes = {*NODES} if "worker_node" in keys else set()
        if nodes and ctx.has_shared_nodes():
            nodes.add("cluster")
        needed = {*keys, *wanted, *nodes} | ({"end_ms"} if window == "in_flight" else set())
        if any(each.error for each in both):
            needed |= {"error", "reason"}
        frame = _project_for_several(native, needed, keys, ctx)
        for each in both:
            frame = each.apply(frame, ctx.node_names(), ctx.models(), window=window)
        columns = dict.fromkeys((*COMPUTED, *derived.CODES, *(needed - {"worker_node"})))
        frame = frame.select(*columns)
        shared_results.mark_selection(frame, native, (both, window, ctx.as_of_ms))
        return Tasks(frame, ctx, filters.combine(*both), keys)


def open_tasks(tasks: Any, names: Sequence[str] = ()) -> Dataset:
    """Return any kind of tasks with each task once, its Context, and filters still to apply."""
    if isinstance(tasks, Dataset):
        return tasks
    frame = nw.from_native(tasks, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        kind = type(tasks).__name__
        raise UsageError(f"cannot report on an object of type {kind}; give what mltasks.load or mltasks.scan returns")
    engine = find_engine(tasks)
    if engine is not None:
        return Dataset(*engine.open_frame(tasks, names))
    return dataset.open_table(arrow_rows.frame_to_arrow(frame.lazy()))


def _check_as_of(opened: Dataset, ctx: Context) -> None:
    """Raise UsageError for an `as_of` before the newest task: what had not happened yet is not told by the rows."""
    latest = opened.context.as_of_ms
    native = dataset.scan(opened.frame) if isinstance(opened.frame, DataFiles) else opened.frame
    with engine_of(native).translate_errors():
        created = _project(native, (), {}, ctx).select("created_ms").filter(~nw.col("created_ms").is_null())
        if latest is not None:  # a time in the future is no reason
            created = created.filter(nw.col("created_ms") <= latest)
        newest = created.select(nw.col("created_ms").max()).collect("pyarrow")["created_ms"].to_list()[0]
    if newest is not None and ctx.as_of_ms is not None and ctx.as_of_ms < newest:
        raise UsageError(
            f"as_of: {metadata.to_iso(ctx.as_of_ms)} is before the newest task, created {metadata.to_iso(newest)}; "
            "as_of says how old open tasks are; to leave out later tasks use until (--until)"
        )


def _values(opened: Dataset, column: str) -> list[Any]:
    """Return the values of a column, whatever the filters select; `nodes_text` are lists of nodes, comma-joined."""
    native = dataset.scan(opened.frame) if isinstance(opened.frame, DataFiles) else opened.frame
    frame = nw.from_native(native).lazy()
    if column != "nodes_text" and column not in frame.collect_schema():
        return []

    def read() -> list[Any]:
        with engine_of(native).translate_errors():
            rows = _project(native, (), {}, opened.context) if column == "nodes_text" else frame
            values: list[Any] = rows.select(column).unique().collect("pyarrow")[column].to_list()
            return values

    return shared_results.compute_once(opened.frame, ("values", column), read)


def _prune(native: Any, both: Sequence[Filters], window: Window) -> Any:
    """Return the frame without what the filters leave out for certain, so that it is not read."""
    if isinstance(native, DataFiles):
        for each in both:
            native = native.prune(each, window=window)
        native = dataset.scan(native)
    engine = engine_of(native)
    for each in both:  # the filters say it again, but no engine sees through what they compare
        native = engine.prune(native, each.since_ms if window == "created" else None, each.until_ms)
    return native


def _project_for_several(native: Any, needed: Collection[str], keys: Mapping[str, Any], ctx: Context) -> Frame:
    """Return what `_project` does; of few tasks in memory it is kept for the reports that share results.

    They differ in what they need of them, but to prepare a little more once is less than to prepare it for each.
    """
    if not (shared_results.is_sharing() and isinstance(native, pd.DataFrame) and len(native) <= dataset.FEW):
        return _project(native, needed, keys, ctx)
    more = frozenset({*needed, *OFTEN} - {column.name for column in schema.STORED} | {"error"})
    own = tuple(name for name in keys if name not in schema.COLUMNS)
    clock = tuple((cluster, each.as_of_ms, each.timeout_s) for cluster, each in ctx.latest().items())
    name = ("projection", more, own, clock)
    return shared_results.compute_once(native, name, lambda: _project(native, more, keys, ctx))


def _project(native: Any, needed: Collection[str], keys: Mapping[str, Any], ctx: Context) -> Frame:
    """Return a lazy frame with the stored columns and those that follow from them."""
    engine = engine_of(native)
    own = {user_columns.own_name(name): name for name in keys if name not in schema.COLUMNS}
    frame = group_keys.normalise_types(engine.project(native, needed, own), own.values())
    frame = frame.with_columns(**derived.clock(ctx))
    if engine.has_gone(native):
        frame = frame.with_columns(as_of_ms=derived.last_known_ms())
    return derived.derive(frame, needed, engine)
