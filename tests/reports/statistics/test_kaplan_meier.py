from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

import mltasks
from mltasks.reports.statistics.kaplan_meier import median
from mltasks.tasks import metadata

seconds = st.integers(1, 60).map(float)


def test_the_median_of_real_trainings_with_those_that_never_completed() -> None:
    tasks = mltasks.load("demo", task_type="TRAINING", function_name="LOGISTIC_REGRESSION")
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    lasted = (tasks["last_update_time"] - tasks["create_time"]).dt.total_seconds()
    age = ((ctx.as_of_ms or 0) - tasks["create_time"].astype("int64")) / 1000
    completed = lasted[tasks["outcome"] == "succeeded"]
    assert completed.median() == pytest.approx(11.803)
    others = lasted.where(tasks["outcome"] == "failed", age)[tasks["outcome"] != "succeeded"]
    assert median(completed, others) == pytest.approx((13.78, 9.948, 16.69))


@given(st.lists(seconds, min_size=2, max_size=40), st.lists(seconds, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_median_is_that_of_scipys_curve(completed: list[float], others: list[float]) -> None:
    curve = ecdf(CensoredData(uncensored=completed, right=others)).sf
    below = curve.quantiles[(curve.probabilities <= 0.5 + 1e-9) & np.isin(curve.quantiles, completed)]
    result = median(completed, others)
    assert result.value == (below[0] if len(below) else math.inf)
    assert result.low <= result.value


def test_open_tasks_make_the_median_later_and_too_many_make_it_unknown() -> None:
    assert median([1.0, 2.0, 3.0], []).value == 2.0
    assert median([1.0, 2.0, 3.0], [5.0, 5.0]).value == 3.0
    assert median([1.0], [5.0, 5.0]).value == math.inf
    assert median([], [5.0]) == (math.inf, math.inf, math.inf)
