"""The task table in memory: derived columns added, duplicates resolved, filtered, and handed to pandas."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import msgspec
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import arrow, derived, failure_reason, metadata, schema
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import ClusterInfo, Context

USER_PREFIX = "own:"  # before a user's own columns while computing, so that none is taken for a helper column
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


def deduplicate(table: pa.Table) -> pa.Table:
    """Return each (cluster, task_id) once, in its latest version; a task without an id is kept as it is.

    The greater seq_no wins, else the later last_update_time, else the later position.
    """
    keys = table.select(schema.KEY)
    if keys.group_by(list(schema.KEY), use_threads=False).aggregate([]).num_rows == table.num_rows:  # half the time
        return table
    table, keys = table.combine_chunks(), keys.combine_chunks()
    order = pa.table(
        {
            "cluster": keys["cluster"],
            "task_id": keys["task_id"],
            "seq_no": pc.fill_null(table["seq_no"], -1),
            "updated": pc.fill_null(table["last_update_time"].cast(pa.int64()), -(2**62)),
            "row": pa.array(range(table.num_rows), pa.int64()),
        }
    )
    ordered = order.sort_by([(name, "ascending") for name in ("seq_no", "updated", "row")])
    last = ordered.group_by(list(schema.KEY), use_threads=False).aggregate([("row", "last")])["row_last"]
    without_id = pc.indices_nonzero(pc.is_null(keys["task_id"]))
    rows = pa.concat_arrays([last.combine_chunks(), without_id.cast(pa.int64())]).unique()
    return table.take(rows.sort())


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
    clusters = " and ".join(sorted("no name" if name is None else name for name in names))
    n = len(shared)
    note = (
        f"{n} task {'id is' if n == 1 else 'ids are'} there under several cluster names, such as {task} of {clusters}: "
        "if that is one cluster, its tasks count more than once"
    )
    return metadata.replace(ctx, notes=tuple(dict.fromkeys([*ctx.notes, note])))


def unknown_states(table: pa.Table) -> Counter[str]:
    """Return the states that this version does not know, and how many tasks are in each; they count as open."""
    counts = pc.value_counts(table["state"]).to_pylist()
    return Counter({c["values"]: c["counts"] for c in counts if c["values"] not in (None, *schema.STATES)})


def select(table: pa.Table, ctx: Context, filters: Filters | None = None, *, window: Window = "created") -> pa.Table:
    """Return stored and derived columns of the rows that pass the filters; other columns of the table stay."""
    return apply_filters(derive(table, ctx), ctx, filters, window=window)


def derive(table: pa.Table, ctx: Context) -> pa.Table:
    """Return the table as `apply_filters` takes it: other columns out of the way of those to compute with."""
    own = [name for name in table.column_names if name not in schema.COLUMNS]
    return with_derived(
        table.rename_columns([USER_PREFIX + name if name in own else name for name in table.column_names]), ctx
    )


def apply_filters(
    derived: pa.Table, ctx: Context, filters: Filters | None = None, *, window: Window = "created"
) -> pa.Table:
    """Return the rows of what `derive` gives that pass the filters, without what was only there to compute with."""
    if filters:
        frame = nw.from_native(derived, eager_only=True)
        derived = filters.apply(frame, ctx.node_names(), ctx.models(), window=window).to_native()
    result = derived.select(schema.SCHEMA.names).cast(schema.SCHEMA)
    for name in derived.column_names:
        if name.startswith(USER_PREFIX):
            result = result.append_column(name.removeprefix(USER_PREFIX), derived[name])
    return result


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
    return result.append_column("nodes_text", join_lists(arrow.combine_chunks(table["worker_node"])))


def to_pandas(table: pa.Table, ctx: Context) -> pd.DataFrame:
    """Return the table as pandas users expect it: texts `str`, times aware, node lists comma-joined."""
    for column in schema.COLUMNS.values():
        if column.kind == "nodes" and column.name in table.column_names:
            place = table.column_names.index(column.name)
            table = table.set_column(place, column.name, join_lists(arrow.combine_chunks(table[column.name])))
    frame: pd.DataFrame = table.to_pandas(types_mapper=(PANDAS_TYPES | SMALL_TYPES).get)
    frame.attrs[metadata.KEY] = metadata.replace(ctx, rows=table.num_rows).to_json()
    return frame


def join_lists(lists: pa.Array) -> pa.Array:
    """Return lists of texts as one text each, comma-joined; an empty list is null."""
    texts = pc.binary_join(lists, ",")
    return pc.if_else(pc.equal(pc.list_value_length(lists), 0), pa.scalar(None, pa.string()), texts)
