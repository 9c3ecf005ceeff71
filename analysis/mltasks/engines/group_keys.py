"""`by`: which columns tasks can be grouped by, and in which types the groups are told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.exceptions import UsageError
from mltasks.tasks import schema, table, user_columns
from mltasks.tasks.group_columns import OTHER_NAMES, TIME, cannot_group, unknown_by, why_no_group
from mltasks.tasks.group_columns import parse_by as parse_by

LISTS = "it holds lists or objects"


def resolve_keys(names: Sequence[str], columns: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """Return the columns to group by and their dtypes in pandas, in the order of `names`.

    `columns`: narwhals' dtypes of the columns there are. Before the name of a user's own column
    stands user_columns.USER_PREFIX.
    Raises UsageError for a column that is not there, cannot be a group, or would be a second of its name (`taken`).
    """
    keys: dict[str, Any] = {}
    for name in names:
        if name in OTHER_NAMES and name not in columns:
            name = "worker_node"
        if name not in schema.COLUMNS and name not in columns:
            raise unknown_by(name, [n for n in columns if n not in schema.COLUMNS and _why_not(n, columns) is None])
        if why := _why_not(name, columns):
            raise cannot_group(name, why)
        if name in taken or name == "period":
            raise UsageError(f"by: the report has a column {name!r} of its own; rename yours")
        if name in schema.COLUMNS:
            keys[name] = table.pandas_type(schema.COLUMNS[name])
        else:
            keys[user_columns.USER_PREFIX + name] = _pandas_type(columns[name])
    return keys


def normalise_types(frame: nw.LazyFrame[Any], own: Iterable[str]) -> nw.LazyFrame[Any]:
    """Return a frame with a user's own columns in types that every engine groups by alike."""
    types = frame.collect_schema()
    for name in own:
        if types[name] in (nw.Categorical, nw.Enum):
            frame = frame.with_columns(nw.col(name).cast(nw.String))
        elif types[name] == nw.Decimal:
            frame = frame.with_columns(nw.col(name).cast(nw.Float64))
        elif types[name].is_float():
            frame = frame.with_columns(nw.col(name) + 0.0)  # makes -0.0 and 0.0 one key
    return frame


def _pandas_type(dtype: Any) -> Any:
    if dtype.is_integer():
        return pd.UInt64Dtype() if dtype == nw.UInt64 else pd.Int64Dtype()
    return "float64" if dtype.is_numeric() else table.PANDAS_TYPES[pa.bool_() if dtype == nw.Boolean else pa.string()]


def _why_not(name: str, columns: Mapping[str, Any]) -> str | None:
    if name in schema.COLUMNS:
        return why_no_group(name)
    dtype = columns[name]
    if dtype.is_temporal() or dtype == nw.Time:
        return TIME
    return None if dtype.is_numeric() or dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum) else LISTS
