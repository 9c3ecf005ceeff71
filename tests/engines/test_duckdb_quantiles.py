"""Quantiles on DuckDB are exact, of values in memory and of more than it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.engines import duckdb, duckdb_quantiles, operations
from mltasks.engines.base import Frame
from mltasks.engines.duckdb_relation import connection_of

VALUES = {"n": ("", "len"), "known": ("v", "count"), "mean": ("v", "mean"), "most": ("v", "max"), "all": ("w", "sum")}
RANKS = {f"p{rank}": ("v", rank / 100) for rank in (0, 1, 50, 90, 95, 99, 100)}
WAYS = (duckdb_quantiles.aggregate_in_memory, duckdb_quantiles.aggregate_on_disk)


def frame_of(rows: list[tuple[str | None, float | None]]) -> Frame:
    columns = {"key": pa.array([key for key, _ in rows], pa.string()), "w": pa.array([2] * len(rows), pa.int64())}
    frame: Frame = nw.from_native(
        duckdb.relation(pa.table({**columns, "v": pa.array([value for _, value in rows], pa.float64())}))
    )
    return frame


@pytest.mark.parametrize("way", WAYS)
@given(
    st.lists(
        st.tuples(st.sampled_from(("a", "b", None)), st.none() | st.integers(0, 20).map(lambda n: n / 8)), max_size=30
    )
)
def test_quantiles_are_those_of_numpy(way: Callable[..., Frame], rows: list[tuple[str | None, float | None]]) -> None:
    table = operations.to_pandas(way(frame_of(rows), ["key"], VALUES, RANKS), {"key": operations.TEXT})
    found = {row["key"] if isinstance(row["key"], str) else None: row for row in table.to_dict("records")}
    assert set(found) == {key for key, _ in rows}
    for key, row in found.items():
        values = [value for other, value in rows if other == key and value is not None]
        n = sum(other == key for other, _ in rows)
        assert (row["n"], row["known"], row["all"]) == (n, len(values), 2 * n)
        expected: dict[str, Any] = dict.fromkeys(("mean", "most", *RANKS), float("nan"))
        if values:
            quantiles = {name: np.quantile(values, rank) for name, (_, rank) in RANKS.items()}
            expected = {"mean": np.mean(values), "most": max(values), **quantiles}
        got = [float(row[name]) for name in expected]
        np.testing.assert_allclose(got, [*expected.values()], rtol=1e-12)


def test_quantiles_of_more_values_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_MEMORY", "40MB")
    connection = connection_of(frame_of([("a", 1.0)]).to_native())
    rows = connection.sql("SELECT 'a' AS key, 2 AS w, (n % 1001)::DOUBLE AS v FROM range(1001 * 8000) t(n)")
    frame: Frame = nw.from_native(rows)
    with pytest.raises(Exception, match="Out of Memory"):
        duckdb_quantiles.aggregate_in_memory(frame, ["key"], VALUES, RANKS).to_native().to_arrow_table()
    (row,) = operations.aggregate(frame, {"key": operations.TEXT}, VALUES, RANKS).to_dict("records")
    assert (row["n"], row["known"], row["mean"], row["most"]) == (8_008_000, 8_008_000, 500, 1000)
    assert [row[name] for name in RANKS] == [0, 10, 500, 900, 950, 990, 1000]
