from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mltasks.engines import operations

FOUND = pd.DataFrame({"team": ["a", "a", None], "n": [1, 2, 4], "first": [5.0, 3.0, None], "mean": [None, 7.0, 8.0]})
VALUES = {"n": ("", "len"), "first": ("x", "min"), "mean": ("x", "mean")}


def rows(found: pd.DataFrame) -> list[dict[Any, Any]]:
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in found.to_dict("records")]


def test_groups_become_fewer_and_a_missing_key_stays_one() -> None:
    assert rows(operations.combine_groups(FOUND, ["team"], VALUES)) == [
        {"team": "a", "n": 3, "first": 3.0, "mean": 7.0},
        {"team": None, "n": 4, "first": None, "mean": 8.0},
    ]


def test_without_keys_it_is_one_row() -> None:
    values = {"n": ("", "len"), "first": ("x", "min")}
    assert rows(operations.combine_groups(FOUND, [], values)) == [{"n": 7, "first": 3.0}]


def test_two_means_are_not_put_together() -> None:
    with pytest.raises(AssertionError):
        operations.combine_groups(FOUND.assign(mean=1.0), ["team"], VALUES)
