"""pandas frames of tasks: whether they are as `load` gives them, and the columns that reports compute with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mltasks.engines.data_files import GONE
from mltasks.tasks import arrow, conform, derived, failure_reason, metadata, schema, table
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context

FEW = ("task_type", "function_name", "state")  # columns with few different texts; `error` where it is needed


def open_frame(tasks: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, Context]:
    """Return a pandas frame with the stored columns, each task once, and its Context."""
    ctx = metadata.read_attrs(tasks.attrs) or Context(source="a DataFrame")
    if ctx.as_of_ms is not None and _is_as_loaded(tasks, names) and _is_unique(tasks, ctx):
        return tasks, ctx
    rows, found = conform.from_pandas(tasks, UnreadableCounts())
    rows = table.deduplicate(rows)
    ctx = table.assume_as_of(rows, found or Context(source="a DataFrame"))
    return table.to_pandas(rows, ctx), ctx


def _is_unique(tasks: pd.DataFrame, ctx: Context) -> bool:
    """Tell whether no task is in a frame twice.

    To hash all ids costs more than a report. Rows of one load, in which no task was twice, are still of different
    tasks where each was written later than the one before: that is how a cluster is read.
    """
    if ctx.rows is not None and len(tasks) <= ctx.rows:
        written = tasks["seq_no"].to_numpy("int64", na_value=-1)
        if (np.diff(written, prepend=-1) > 0).all():
            return True
    return not tasks.duplicated(list(schema.KEY)).any()


def _is_as_loaded(tasks: pd.DataFrame, names: Sequence[str]) -> bool:
    """Tell whether a frame has the columns that `load` gives, in their types, and no odd ones to group by."""
    return (
        tasks.columns.is_unique
        and all(c.name in tasks.columns and tasks[c.name].dtype == table.pandas_type(c) for c in schema.STORED)
        and not any(name in tasks.columns and tasks[name].dtype == object for name in names)
    )


def project(tasks: pd.DataFrame, needed: Collection[str], own: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that `relations.prepared` names."""
    columns: dict[str, Any] = {name: tasks[name] for name in schema.STORED_SCHEMA.names}
    few = [*FEW, *(["error"] if {"error", *derived.DURATIONS} & set(needed) else [])]
    with ThreadPoolExecutor() as pool:  # pandas compares texts slowly, their codes fast
        columns |= zip(few, pool.map(_categories, [tasks[name] for name in few]), strict=True)
    columns["nodes_text"] = tasks["worker_node"]
    for name, parsed in failure_reason.JSON_COLUMNS.items():
        if name in needed:
            found = parsed.function(*(_array(tasks, column) for column in parsed.takes))
            columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([found])), index=tasks.index)
    columns |= {name: tasks[column] for column, name in own.items()}
    columns |= {"created_ms": _ms(tasks["create_time"]), "updated_ms": _ms(tasks["last_update_time"])}
    if has_gone(tasks):
        columns["gone_ms"] = _ms(tasks[GONE.name].dt.as_unit("ms"))
    return pd.DataFrame(columns, copy=False)


def has_gone(tasks: pd.DataFrame) -> bool:
    """Tell whether some tasks were found gone, as in a store."""
    found = tasks.get(GONE.name)
    return found is not None and isinstance(found.dtype, pd.DatetimeTZDtype) and bool(found.notna().any())


def _ms(times: pd.Series[Any]) -> pd.Series[Any]:
    """Return times in ms since 1970; nullable only where one is missing, since pandas is slower then."""
    ms = times.dt.tz_localize(None).to_numpy().view("int64")
    missing = times.isna().to_numpy()
    return pd.Series(pd.arrays.IntegerArray(ms, missing) if missing.any() else ms, index=times.index)


def _categories(texts: pd.Series[Any]) -> pd.Series[Any]:
    encoded = arrow.combine_chunks(pa.array(texts)).dictionary_encode()
    return pd.Series(encoded.to_pandas().array, index=texts.index)


def _array(tasks: pd.DataFrame, name: str) -> pa.Array:
    texts = pa.array(tasks[name], pa.string())
    return conform.split_lists(texts, schema.COLUMNS[name]) if name == "worker_node" else texts
