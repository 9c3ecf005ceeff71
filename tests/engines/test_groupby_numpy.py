from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.engines.groupby_numpy import GroupedRows

RANKS = [0.5, 0.9, 0.99]
KEYS: dict[str, Any] = {"team": st.sampled_from(["a", "b", None]), "shard": st.sampled_from([-1, 0, 7])}
VALUES: dict[str, Any] = {"n": st.integers(-9, 9), "x": st.none() | st.floats(-9, 9)}
ROWS = st.lists(st.fixed_dictionaries(KEYS | VALUES), max_size=30)
HOW = ["len", "count", "sum", "min", "max", "mean"]


def frame(rows: list[dict[str, Any]], team: str = "str", shard: str = "int64") -> pd.DataFrame:
    types = {"team": team, "shard": shard, "n": "int64", "x": "float64"}
    return pd.DataFrame(rows, columns=[*types]).astype(types)


def naive(rows: list[dict[str, Any]], column: str) -> dict[Any, dict[str, float | None]]:
    found = {}
    for group in {(row["team"], row["shard"]) for row in rows}:
        of = [row for row in rows if (row["team"], row["shard"]) == group]
        values = sorted(row[column] for row in of if row[column] is not None)
        found[group] = {
            "len": len(of),
            "count": len(values),
            "sum": sum(values),
            "min": min(values, default=None),
            "max": max(values, default=None),
            "mean": sum(values) / len(values) if values else None,
            **{str(rank): float(np.quantile(values, rank)) if values else None for rank in RANKS},
        }
    return found


@given(ROWS, st.sampled_from([("str", "int64"), ("category", "Int64"), ("object", "int8")]))
def test_a_group_has_the_values_that_python_finds(rows: list[dict[str, Any]], types: tuple[str, str]) -> None:
    groups = GroupedRows(frame(rows, *types), ["team", "shard"])
    teams = [None if pd.isna(team) else team for team in groups.keys["team"]]
    names = list(zip(teams, groups.keys["shard"], strict=True))
    for column in VALUES:
        expected = naive(rows, column)
        assert len(names) == len(expected)
        found = {how: groups.value(column, how) for how in HOW}
        ranked = groups.quantiles(column, RANKS).reshape(-1, len(RANKS))
        for place, name in enumerate(names):
            values = {how: found[how][place] for how in HOW} | dict(zip(map(str, RANKS), ranked[place], strict=True))
            for how, value in values.items():
                wanted = expected[name][how]
                assert math.isnan(value) if wanted is None else value == pytest.approx(wanted, abs=1e-12), (name, how)


def test_whole_numbers_are_summed_exactly() -> None:
    rows = pd.DataFrame({"key": ["a"] * 4, "n": [2**53, 1, 1, 1]})
    assert GroupedRows(rows, ["key"]).value("n", "sum").tolist() == [2**53 + 3]


def test_the_rows_of_a_group_keep_their_order() -> None:
    rows = pd.DataFrame({"key": ["b", "a", "b", "a", "b"], "n": [5, 4, 3, 2, 1]})
    groups = GroupedRows(rows, ["key"])
    ends = groups.counts.cumsum()
    values = groups.in_order("n").tolist()
    of_each = [values[end - count : end] for end, count in zip(ends, groups.counts, strict=True)]
    assert dict(zip(groups.keys["key"], of_each, strict=True)) == {"a": [4, 2], "b": [5, 3, 1]}


def test_groups_of_more_keys_than_fit_a_number_stay_apart() -> None:
    keys = [f"key{n}" for n in range(8)]  # 1001**8 > 2**62
    rows = pd.DataFrame({key: np.random.default_rng(n).permutation(1000) for n, key in enumerate(keys)})
    groups = GroupedRows(pd.concat([rows, rows], ignore_index=True), keys)
    assert (len(groups.keys), set(groups.value("key0", "len"))) == (1000, {2})


def test_more_groups_than_a_small_number_can_count_stay_apart() -> None:
    rows = pd.DataFrame({"key": np.arange(70_000) // 2})
    assert set(GroupedRows(rows, ["key"]).value("key", "len")) == {2}
