from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from mltasks.reports.statistics.intervals import score_limits, student_quantile, wilson


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


def test_a_design_effect_of_four_is_a_quarter_of_the_tasks() -> None:
    share, low, high = wilson(pd.Series([40, 40]), pd.Series([200, 200]), pd.Series([1.0, 4.0]))
    assert share.tolist() == [0.2, 0.2]
    quarter = binomtest(10, 50).proportion_ci(method="wilson")
    assert (low[1], high[1]) == pytest.approx((quarter.low, quarter.high))
    assert low[1] < low[0] < high[0] < high[1]


@pytest.mark.parametrize("probability", [0.5, 0.6, 0.975, 0.995, 1 - 0.05 / 28, 1 - 1e-7, 0.025])
@pytest.mark.parametrize("degrees", [1, 3, 19, 21])
def test_the_quantile_is_students(probability: float, degrees: int) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(t.ppf(probability, degrees), rel=1e-8, abs=1e-9)


def test_limits_take_fractions_of_tasks_and_other_quantiles() -> None:
    narrow, wide = (score_limits(0.25, 12.5, quantile) for quantile in (1.0, 3.0))
    assert wide[0] < narrow[0] < 0.25 < narrow[1] < wide[1]
