from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from mltasks.reports.statistics import change
from support import labelled


def test_newcombes_own_example() -> None:
    result = change.rate_difference((48, 80), (56, 70))
    assert [round(value, 4) for value in result] == [0.2, 0.0524, 0.3339]


def test_a_plain_difference_is_that_of_statsmodels() -> None:
    result = change.rate_difference((14, 300), (46, 340))
    assert [round(value, 4) for value in result] == [0.0886, 0.0445, 0.1332]


counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
@settings(max_examples=60, deadline=None)
def test_any_difference_is_that_of_statsmodels(before: tuple[int, int], after: tuple[int, int]) -> None:
    value, low, high = change.rate_difference(before, after)
    expected = confint_proportions_2indep(*after, *before, method="newcomb", compare="diff")
    assert (low, high) == pytest.approx(expected, abs=1e-9)
    assert low <= value <= high


def test_a_design_effect_widens() -> None:
    plain, burst = (change.rate_difference((14, 300), (46, 340), d, change.quantile_at(0.95)) for d in (1.0, 15.7))
    assert plain.low > 0
    assert burst.low < 0
    wide = change.rate_difference((14, 300), (46, 340), 15.7, change.quantile_at(1 - 0.05 / 14))
    assert (round(wide.low, 2), round(wide.high, 2)) == (-0.30, 0.45)


def test_the_limits_of_a_quantile_are_places_among_the_durations() -> None:
    # Wilson's 95 % limits of a half of 100 are 0.4038 and 0.5962: the 40th and the 61st
    limits = change.quantile_limits(np.arange(1.0, 101.0), 0.5)
    assert limits == (50.5, 40.0, 61.0)


def test_too_few_have_no_upper_limit_of_a_high_quantile() -> None:
    few, enough = (change.quantile_limits(np.arange(float(n)), 0.95) for n in (40, 73))
    assert (few.high, enough.high) == (math.inf, 72.0)
    assert change.quantile_limits(np.array([7.0]), 0.5) == (7.0, 7.0, math.inf)


def test_the_planted_slowness_is_found() -> None:
    tasks = labelled.load()
    rows = tasks[(tasks["task_type"] == "REGISTER_MODEL") & (tasks["outcome"] == "succeeded")]
    after = rows["create_time"].astype("int64") >= labelled.SPLIT_MS
    sides = [np.sort(rows.loc[side, "duration_s"].to_numpy("float64")) for side in (~after, after)]
    limits = [change.quantile_limits(side, 0.5, 1.14, change.quantile_at(1 - 0.05 / 14)) for side in sides]
    result = change.quantile_ratio(*limits)
    assert result is not None
    assert result == pytest.approx((1.78, 1.37, 2.37), abs=0.025)


def test_a_ratio_to_nothing_is_none_and_one_without_limits_has_none() -> None:
    limits = change.QuantileLimits
    assert change.quantile_ratio(limits(0.0, 0.0, 1.0), limits(1.0, 0.5, 2.0)) is None
    open_end = change.quantile_ratio(limits(1.0, 0.5, 2.0), limits(2.0, 1.0, math.inf))
    assert open_end is not None
    assert open_end.value == pytest.approx(2.0)
    assert open_end.high == math.inf
    assert open_end.low == pytest.approx(2 * math.exp(-math.hypot(math.log(2), math.log(2))))
    unknown = change.quantile_ratio(limits(1.0, 0.0, math.inf), limits(2.0, 1.0, 4.0))
    assert unknown is not None
    assert (unknown.low, unknown.high) == (0.0, math.inf)
