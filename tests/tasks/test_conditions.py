from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest

from mltasks.engines import duckdb
from mltasks.tasks import conditions as choices

TABLE = pa.table({"word": ["a", "b", None, "c", "a"], "n": pa.array([1, None, 3, 4, 5], pa.int64())})
MADE: dict[str, Callable[[], Any]] = {
    "pandas": lambda: nw.from_native(TABLE.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)).lazy(),
    "categories": lambda: nw.from_native(TABLE.to_pandas(categories=["word"]).astype({"n": "Int64"})).lazy(),
    "floats": lambda: nw.from_native(TABLE.to_pandas()).lazy(),
    "arrow": lambda: nw.from_native(TABLE, eager_only=True),
    "DuckDB": lambda: nw.from_native(duckdb.relation(TABLE)),
}


@pytest.fixture(params=MADE)
def frame(request: pytest.FixtureRequest) -> Any:
    return MADE[request.param]()


def column(frame: Any, name: str) -> list[Any]:
    found = frame.select(name).lazy().collect("pandas").to_native()[name]
    return [None if pd.isna(value) else value for value in found]


def test_the_first_condition_that_holds_counts_and_an_unknown_one_does_not(frame: Any) -> None:
    conditions = {7: nw.col("n") > 3, 8: nw.col("n") > 2}
    assert column(choices.case_when(frame, "found", conditions, 9), "found") == [9, 9, 8, 7, 7]


def test_where_no_condition_holds_an_expression_may_say_the_number(frame: Any) -> None:
    kept = choices.case_when(frame, "before", {1: nw.col("n") > 3}, 0)
    found = choices.case_when(kept, "found", {5: nw.col("n") == 1}, nw.col("before"))
    assert column(found, "found") == [5, 0, 0, 1, 1]


def test_a_number_is_there_where_the_condition_holds(frame: Any) -> None:
    assert column(choices.when_then(frame, "found", nw.col("n") >= 3, nw.col("n") * 2), "found") == [
        None,
        None,
        6,
        8,
        10,
    ]


def test_a_text_that_is_missing_or_not_in_the_table_has_the_other_number(frame: Any) -> None:
    table = {"a": 1, "c": 2, "d": 1}
    assert column(choices.map_values(frame, "found", "word", table, 0), "found") == [1, 0, 0, 2, 1]


def test_the_rows_keep_their_index() -> None:
    rows = pd.DataFrame({"n": [1, 2]}, index=[5, 5])
    found = choices.when_then(nw.from_native(rows).lazy(), "found", nw.col("n") > 1, nw.col("n")).collect().to_native()
    assert (list(found.index), list(found["found"].isna())) == ([5, 5], [True, False])
