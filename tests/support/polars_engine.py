"""A third engine, polars: nothing but what the protocol asks for. Only tests have it, to show what adding one takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa

from mltasks.engines import load_sweep
from mltasks.engines.base import NODES, Frame, Value
from mltasks.tasks import arrow_schema, conform, deduplicate, failure_reason, table
from mltasks.tasks.conditions import case_when as case_when
from mltasks.tasks.conditions import map_values as map_values
from mltasks.tasks.conditions import when_then as when_then
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

Rows = pl.LazyFrame | pl.DataFrame


def open_frame(tasks: Rows, names: Sequence[str]) -> tuple[pl.LazyFrame, Context]:
    """See `Engine.open_frame`."""
    rows = deduplicate.deduplicate(conform.conform(tasks.lazy().collect().to_arrow(), UnreadableCounts()))
    ctx = table.assume_as_of(rows, Context(source="a table"))
    return from_arrow(rows, ctx), ctx


def from_arrow(rows: pa.Table, context: Context) -> pl.LazyFrame:
    """See `Engine.from_arrow`."""
    return pl.DataFrame(rows).lazy()


def to_arrow(tasks: Rows) -> pa.Table:
    """See `Engine.to_arrow`."""
    return conform.conform(tasks.lazy().collect().to_arrow(), UnreadableCounts())


def prune(tasks: Rows, since_ms: int | None, until_ms: int | None) -> Rows:
    """See `Engine.prune`."""
    return tasks


def project(tasks: Rows, needed: Collection[str], own: Mapping[str, str]) -> Frame:
    """See `Engine.project`."""
    rows = tasks.lazy().collect()
    columns = {name: rows[name] for name in arrow_schema.STORED_SCHEMA.names}
    columns |= {name: rows[column] for column, name in own.items()}
    columns["nodes_text"] = rows["worker_node"].list.join(",").replace("", None)
    for name, time in (("created_ms", "create_time"), ("updated_ms", "last_update_time")):
        columns[name] = rows[time].dt.epoch("ms")
    stored = to_arrow(rows.select(arrow_schema.STORED_SCHEMA.names))
    for name, parsed in failure_reason.JSON_COLUMNS.items():
        if name in needed:
            values = parsed.function(*(stored[column].combine_chunks() for column in parsed.takes))
            columns[name] = pl.Series(values)
    return _lazy(pl.DataFrame(columns).lazy())


def has_gone(tasks: Rows) -> bool:
    """See `Engine.has_gone`."""
    return False


def explode_range(frame: Frame, first: str, last: str, name: str) -> Frame:
    """See `operations.explode_range`."""
    numbers = pl.int_ranges(pl.col(first), pl.col(last) + 1).alias(name)
    return _lazy(_native(frame).with_columns(numbers).explode(name).filter(pl.col(name).is_not_null()))


def explode_nodes(frame: Frame) -> Frame:
    """See `operations.explode_nodes`."""
    failed, others = (pl.col(name).fill_null([]) for name in NODES)
    rows = _native(frame).with_columns(
        worker_node=failed.list.concat(others), failed_count=failed.list.len(), names_some=failed.list.len() > 0
    )
    rows = rows.with_columns(place=pl.int_ranges(0, pl.col("worker_node").list.len().clip(1)))
    rows = rows.with_columns(
        worker_node=pl.when(pl.col("worker_node").list.len() == 0).then([None]).otherwise(pl.col("worker_node"))
    )
    rows = rows.explode("worker_node", "place").with_columns(named=pl.col("place") < pl.col("failed_count"))
    return _lazy(rows.drop(*NODES, "failed_count", "place"))


def keep(frame: Frame) -> AbstractContextManager[Frame]:
    """See `operations.keep`."""
    return nullcontext(frame)


def left_join(frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
    """See `operations.left_join`."""
    rows = _native(frame)
    types = rows.collect_schema()
    other = pl.DataFrame(pa.Table.from_pandas(table, preserve_index=False))
    other = other.with_columns(pl.col(key).cast(types[key]) for key in keys)
    return _lazy(rows.join(other.lazy(), on=list(keys), how="left", nulls_equal=True))


def aggregate(
    frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
) -> Frame:
    """See `operations.aggregate`."""
    columns = [
        (nw.len() if how == "len" else getattr(nw.col(column), how)()).alias(name)
        for name, (column, how) in values.items()
    ]
    columns += [nw.col(column).quantile(rank, "linear").alias(name) for name, (column, rank) in quantiles.items()]
    return frame.group_by(*keys).agg(*columns)


def measure_load(
    frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """See `operations.measure_load`."""
    return load_sweep.sweep(iter_sorted(frame, "begin"), keys, types, values)


def iter_sorted(frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
    """See `operations.iter_sorted`."""
    rows = _plain(_native(frame).sort(by, nulls_last=True, maintain_order=True))
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    yield rows.to_pandas(types_mapper=table.PANDAS_TYPES.get, categories=texts)


def collect(frame: Frame) -> pd.DataFrame:
    """Return a result in pandas."""
    rows: pd.DataFrame = _plain(_native(frame)).to_pandas(types_mapper=table.PANDAS_TYPES.get)
    return rows


def translate_errors() -> AbstractContextManager[None]:
    """See `Engine.translate_errors`."""
    return nullcontext()


def _native(frame: Frame) -> pl.LazyFrame:
    rows: pl.LazyFrame = frame.to_native()
    return rows


def _lazy(rows: pl.LazyFrame) -> Frame:
    frame: Frame = nw.from_native(rows)
    return frame


def _plain(rows: pl.LazyFrame) -> pa.Table:
    """Return rows with texts as everywhere here; polars has long ones."""
    result = rows.collect().to_arrow()
    types = [pa.string() if pa.types.is_large_string(field.type) else field.type for field in result.schema]
    return result.cast(pa.schema(list(zip(result.column_names, types, strict=True))))
