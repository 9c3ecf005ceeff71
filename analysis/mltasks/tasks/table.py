"""The task table in memory: derived columns added, duplicates resolved, filtered, and handed to pandas."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

import msgspec
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import arrow, arrow_schema, derived, failure_reason, metadata, node_lists, schema, user_columns
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import ClusterInfo, Context

PANDAS_TYPES = {
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(na_value=float("nan")),
}


HOUR_MS = 3_600_000
SMALL_TYPES = {  # of users' own columns: a missing value leaves whole numbers whole
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
}


def pandas_type(column: schema.Column) -> Any:
    """Return the dtype of a column in pandas."""
    if column.kind == "time":
        return pd.DatetimeTZDtype("ms", "UTC")
    return PANDAS_TYPES.get(pa.string() if column.kind == "nodes" else column.type, "float64")


def assume_as_of(table: pa.Table, ctx: Context) -> Context:
    """Return the Context with `as_of` where it was not known: the newest time in the data that is no fantasy."""
    if ctx.as_of_ms is not None or not table.num_rows:
        return ctx
    now = time.time_ns() // 1_000_000
    times = [pc.fill_null(table[name].cast(pa.int64()), 0) for name in ("create_time", "last_update_time")]
    newest = pc.max_element_wise(*(pc.if_else(pc.less(column, now + schema.DAY_MS), column, 0) for column in times))
    latest = np.asarray(arrow.combine_chunks(newest))
    place = int(latest.argmax())
    as_of_ms = int(latest[place])
    if as_of_ms < schema.EARLIEST_MS:
        return ctx
    next_ms = int(np.delete(latest, place).max(initial=0))
    is_alone = next_ms >= schema.EARLIEST_MS and as_of_ms - next_ms > HOUR_MS
    task = table["task_id"][place].as_py() if is_alone else None
    reading = ctx.readings[0] if ctx.readings else ClusterInfo()
    assumed = msgspec.structs.replace(reading, as_of_ms=as_of_ms, as_of_assumed=True, as_of_task=task)
    return metadata.replace(ctx, readings=(assumed, *ctx.readings[1:]))


def note_shared_ids(table: pa.Table, ctx: Context) -> Context:
    """Return the Context with a note where a task id is there under two cluster names; each task is there once."""
    if pc.count_distinct(table["cluster"], mode="all").as_py() < 2:
        return ctx
    counts = pc.value_counts(table["task_id"].drop_null())
    shared = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1)).to_pylist()
    if not shared:
        return ctx
    task = shared[0]["values"]
    names = table.filter(pc.equal(table["task_id"], task))["cluster"].to_pylist()
    return with_shared_ids(ctx, len(shared), task, names)


def with_shared_ids(ctx: Context, n: int, task: str, names: Collection[str | None]) -> Context:
    """Return the Context with a note on `n` task ids that several clusters have; `names` are those of one `task`."""
    clusters = " and ".join(sorted("no name" if name is None else name for name in names))
    note = (
        f"{n} task {'id is' if n == 1 else 'ids are'} there under several cluster names, such as {task} of {clusters}: "
        "if that is one cluster, its tasks count more than once"
    )
    return metadata.replace(ctx, notes=tuple(dict.fromkeys([*ctx.notes, note])))


def unknown_states(table: pa.Table) -> Counter[str]:
    """Return the states that this version does not know, and how many tasks are in each; they count as open.

    Tasks without a state are counted under the empty text.
    """
    states = pc.value_counts(pc.fill_null(table["state"], "")).to_pylist()
    return Counter({each["values"]: each["counts"] for each in states if each["values"] not in schema.STATES})


def select(table: pa.Table, ctx: Context, filters: Filters | None = None, *, window: Window = "created") -> pa.Table:
    """Return stored and derived columns of the rows that pass the filters; other columns of the table stay."""
    return apply_filters(derive(table, ctx), ctx, filters, window=window)


def derive(table: pa.Table, ctx: Context) -> pa.Table:
    """Return the table as `apply_filters` takes it: other columns out of the way of those to compute with."""
    return with_derived(user_columns.set_aside(table), ctx)


def apply_filters(
    derived: pa.Table, ctx: Context, filters: Filters | None = None, *, window: Window = "created"
) -> pa.Table:
    """Return the rows of what `derive` gives that pass the filters, without what was only there to compute with."""
    if filters:
        frame = nw.from_native(derived, eager_only=True)
        derived = filters.apply(frame, ctx.node_names(), ctx.models(), window=window).to_native()
    result = derived.select(arrow_schema.SCHEMA.names).cast(arrow_schema.SCHEMA)
    return user_columns.put_back(result, derived)


def with_derived(table: pa.Table, ctx: Context) -> pa.Table:
    """Return the table with the derived columns and those that filters and reports compute with."""
    table = table.drop_columns([c.name for c in schema.DERIVED if c.name in table.column_names]).combine_chunks()
    frame: Any = nw.from_native(table, eager_only=True).with_columns(
        created_ms=nw.col("create_time").dt.timestamp("ms"),
        updated_ms=nw.col("last_update_time").dt.timestamp("ms"),
        **derived.clock(ctx),
    )
    result: pa.Table = derived.derive(frame).to_native()
    task_type, error, response = (arrow.combine_chunks(table[name]) for name in ("task_type", "error", "response"))
    result = result.append_column("reason", failure_reason.reason(task_type, error, response))
    result = result.append_column("failed_nodes", failure_reason.list_failed_nodes(task_type, error))
    return result.append_column("nodes_text", node_lists.join_lists(arrow.combine_chunks(table["worker_node"])))


def to_pandas(table: pa.Table, ctx: Context) -> pd.DataFrame:
    """Return the table as pandas users expect it: texts `str`, times aware, node lists comma-joined."""
    for column in schema.COLUMNS.values():
        if column.kind == "nodes" and column.name in table.column_names:
            place = table.column_names.index(column.name)
            table = table.set_column(
                place, column.name, node_lists.join_lists(arrow.combine_chunks(table[column.name]))
            )
    frame: pd.DataFrame = table.to_pandas(types_mapper=(PANDAS_TYPES | SMALL_TYPES).get)
    frame.attrs[metadata.KEY] = metadata.replace(ctx, rows=table.num_rows).to_json()
    return frame
