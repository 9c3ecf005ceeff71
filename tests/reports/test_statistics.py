from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mltasks.reports.statistics import wilson


@given(st.lists(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1))
@settings(max_examples=40, deadline=None)
def test_the_interval_is_wilsons(counts: list[tuple[int, int]]) -> None:
    share, low, high = wilson(pd.Series([k for k, _ in counts]), pd.Series([n for _, n in counts]))
    expected = [binomtest(k, n).proportion_ci(method="wilson") for k, n in counts]
    assert share.tolist() == [k / n for k, n in counts]
    assert low.tolist() == pytest.approx([interval.low for interval in expected], abs=1e-12)
    assert high.tolist() == pytest.approx([interval.high for interval in expected], abs=1e-12)
    assert ((low >= 0) & (low <= share) & (share <= high) & (high <= 1)).all()


def test_an_end_of_the_interval_is_exact_where_all_or_none_failed() -> None:
    for n in (1, 7, 10**9):
        _, low, high = wilson(pd.Series([0, n]), pd.Series([n, n]))
        assert (low[0], high[1]) == (0.0, 1.0)
        assert 0 < high[0] < 1
        assert 0 < low[1] < 1


def test_a_share_of_nothing_is_missing() -> None:
    assert all(one.isna().all() for one in wilson(pd.Series([0]), pd.Series([0])))
