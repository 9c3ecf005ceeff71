"""A process in a query of DuckDB that never ends: it says so from inside, and then waits to be interrupted."""

from __future__ import annotations

import functools
import sys

import pyarrow as pa
from duckdb import func

from mltasks.engines import duckdb, duckdb_relation

QUERY = "SELECT sum(announce(range)) FROM range(1000000000000)"


@functools.cache
def announce() -> None:
    """Tell whoever listens, once, that the query has begun."""
    print("in the query", flush=True)


def unchanged(numbers: pa.Array) -> pa.Array:
    """Return the numbers as they are."""
    announce()
    return numbers


if __name__ == "__main__":
    rows = duckdb.relation(pa.table({"n": [1]}))
    connection = duckdb_relation.connection_of(rows)
    connection.execute("SET threads = 1")  # the one that gets signals
    connection.create_function("announce", unchanged, ["BIGINT"], "BIGINT", type=func.ARROW)
    endless = rows.query("one", QUERY)
    assert endless is not None
    try:
        duckdb.to_arrow(endless)
    except KeyboardInterrupt:
        sys.exit(130)
