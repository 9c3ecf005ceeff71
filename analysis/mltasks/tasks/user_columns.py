"""Columns that users have added to the task table: out of the way while we compute, and back unchanged."""

from __future__ import annotations

import pyarrow as pa

from mltasks.tasks import schema

USER_PREFIX = "own:"  # before a user's own columns while computing, so that none is taken for a helper column


def own_name(name: str) -> str:
    """Return the name that a column has for its user."""
    return name.removeprefix(USER_PREFIX)


def set_aside(table: pa.Table) -> pa.Table:
    """Return the table with the users' own columns under names that no column of ours has."""
    names = [name if name in schema.COLUMNS else USER_PREFIX + name for name in table.column_names]
    return table.rename_columns(names)


def put_back(result: pa.Table, derived: pa.Table) -> pa.Table:
    """Return a result with the users' own columns of the table that it was made from, under their own names."""
    for name in derived.column_names:
        if name.startswith(USER_PREFIX):
            result = result.append_column(own_name(name), derived[name])
    return result
