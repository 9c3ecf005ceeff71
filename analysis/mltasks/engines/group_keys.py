"""`by`: which columns tasks can be grouped by, and in which types the groups are told apart."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.exceptions import UsageError
from mltasks.tasks import schema, table, user_columns

LISTS, TIME = "it holds lists or objects", "it is a time; use every (--every) for periods"
NODE_NAMES = ("node", "node_name")  # what else a worker node is called, where no column is called so
UNGROUPABLE = {"nodes": "it holds lists", "json": "it holds JSON", "time": TIME}


def parse_by(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names in `by`, each once: a text, comma-joined for several, or a sequence of such texts."""
    texts = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"by: {text!r} is no column name; give a text or a list of texts")
    parts = [part.strip() for text in texts for part in text.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def resolve_keys(names: Sequence[str], columns: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """Return the columns to group by and their dtypes in pandas, in the order of `names`.

    `columns`: narwhals' dtypes of the columns there are. Before the name of a user's own column
    stands user_columns.USER_PREFIX.
    Raises UsageError for a column that is not there, cannot be a group, or would be a second of its name (`taken`).
    """
    keys: dict[str, Any] = {}
    for name in names:
        if name in NODE_NAMES and name not in columns:
            name = "worker_node"
        if name not in schema.COLUMNS and name not in columns:
            groups = [n for n in dict.fromkeys([*schema.COLUMNS, *columns]) if _why_not(n, columns) is None]
            near = _find_near(name, groups)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(groups)}"
            raise UsageError(f"by: there is no column {name!r}; {hint}")
        if why := _why_not(name, columns):
            raise UsageError(f"by: cannot group by {name!r}: {why}")
        if name in taken or name == "period":
            raise UsageError(f"by: the report has a column {name!r} of its own; rename yours")
        if name in schema.COLUMNS:
            keys[name] = table.pandas_type(schema.COLUMNS[name])
        else:
            keys[user_columns.USER_PREFIX + name] = _pandas_type(columns[name])
    return keys


def _find_near(name: str, groups: Collection[str]) -> str | None:
    """Return the column that a name is most like, whatever its letters' case and whatever stands between its words."""
    columns = {re.sub(r"[ -]", "_", group.lower()): group for group in groups}
    columns |= dict.fromkeys(NODE_NAMES, "worker_node")
    near = difflib.get_close_matches(re.sub(r"[ -]", "_", name.lower()), columns, 1)
    return columns[near[0]] if near else None


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
    if name == "worker_node":  # a task counts in the group of each of its nodes
        return None
    if name in schema.COLUMNS:
        return UNGROUPABLE.get(schema.COLUMNS[name].kind)
    dtype = columns[name]
    if dtype.is_temporal() or dtype == nw.Time:
        return TIME
    return None if dtype.is_numeric() or dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum) else LISTS
