from __future__ import annotations

import math

import pytest

from mltasks.reports.statistics.change import Change
from mltasks.reports.verdicts import Intervals, combine, judge_rate, judge_ratio

WIDE = Change(0.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("shown", "strict", "verdict"),
    [
        ((0.12, 0.07, 0.17), (0.12, 0.035, 0.21), "worse"),
        ((-0.145, -0.22, -0.07), (-0.145, -0.276, -0.023), "better"),
        ((0.052, 0.006, 0.1), (0.052, -0.02, 0.13), "worse?"),
        ((-0.052, -0.1, -0.006), (-0.052, -0.13, 0.02), "better?"),
        ((0.02, 0.01, 0.03), (0.02, 0.005, 0.035), "same"),  # clear, and too small to speak of
        ((0.04, 0.01, 0.07), (0.04, 0.005, 0.08), "worse?"),  # clear, and perhaps large enough
        ((-0.014, -0.045, 0.016), (-0.014, -0.066, 0.036), "same"),
        ((0.089, -0.14, 0.307), (0.089, -0.3, 0.45), "unclear"),
    ],
)
def test_the_verdict_on_a_difference_of_rates(
    shown: tuple[float, float, float], strict: tuple[float, float, float], verdict: str
) -> None:
    assert judge_rate(Intervals(Change(*shown), Change(*strict))) == verdict


@pytest.mark.parametrize(
    ("shown", "strict", "verdict"),
    [
        ((1.78, 1.48, 2.16), (1.78, 1.37, 2.37), "worse"),
        ((0.5, 0.4, 0.7), (0.5, 0.3, 0.8), "better"),
        ((1.15, 1.01, 1.26), (1.15, 0.93, 1.36), "worse?"),
        ((1.01, 0.9, 1.15), (1.01, 0.8, 1.3), "same"),
        ((2.0, 0.0, math.inf), (2.0, 0.0, math.inf), "unclear"),
    ],
)
def test_the_verdict_on_a_ratio_of_durations(
    shown: tuple[float, float, float], strict: tuple[float, float, float], verdict: str
) -> None:
    assert judge_ratio(Intervals(Change(*shown), Change(*strict))) == verdict


@pytest.mark.parametrize(
    ("measures", "verdict"),
    [
        (("better", "worse", "same"), "worse"),
        (("unclear", "same", "worse"), "worse"),
        (("same", "same", "unclear"), "same"),
        (("same", "too few", "too few"), "same"),
        (("same", "unclear", "same"), "unclear"),
        (("only after",) * 3, "only after"),
    ],
)
def test_of_three_measures_the_verdict_that_weighs_most_is_that_of_the_row(
    measures: tuple[str, str, str], verdict: str
) -> None:
    assert combine(*measures) == verdict
