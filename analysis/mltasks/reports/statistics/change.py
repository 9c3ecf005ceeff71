"""The difference of two rates, and the ratio of two quantiles, each with its interval."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mltasks.reports.statistics import intervals

DEGREES = 19  # of freedom of a variance that comes from 20 blocks


class Change(NamedTuple):
    """A change and the ends of its interval; an end that the data does not give is infinite."""

    value: float
    low: float
    high: float


class QuantileLimits(NamedTuple):
    """A quantile of durations and the ends of its interval, in their unit; `high` is infinite where they are few."""

    value: float
    low: float
    high: float


def quantile_at(confidence: float) -> float:
    """Return the quantile of Student's t for a two-sided interval, such as at 0.95."""
    return intervals.student_quantile(1 - (1 - confidence) / 2, DEGREES)


def rate_difference(
    before: tuple[int, int], after: tuple[int, int], design_effect: float = 1.0, quantile: float = intervals.Z95
) -> Change:
    """Return by how much a failure rate changed; each side is (failed, finished).

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998) 873-890, method 10, on Wilson's limits of finished / design_effect tasks (see `intervals.wilson`).
    """
    (x1, n1), (x2, n2) = before, after
    p1, p2 = x1 / n1, x2 / n2
    (low1, low2), (high1, high2) = (
        side.tolist() for side in intervals.score_limits([p1, p2], np.array([n1, n2]) / design_effect, quantile)
    )
    return Change(p2 - p1, p2 - p1 - math.hypot(p2 - low2, high1 - p1), p2 - p1 + math.hypot(high2 - p2, p1 - low1))


def quantile_limits(
    values: Any, rank: float, design_effect: float = 1.0, quantile: float = intervals.Z95
) -> QuantileLimits:
    """Return a quantile of sorted durations, linear between ranks, and its interval.

    The limits of the share `rank` are read off the durations in their order, the lower one from the place below, the
    upper one from the place above: R. S. Woodruff, "Confidence intervals for medians and other position measures",
    JASA 47 (1952) 635-646.
    """
    n = len(values)
    low, high = (float(end) for end in intervals.score_limits(rank, n / design_effect, quantile))
    first, last = max(math.floor(low * n), 1), math.ceil(high * n) + 1
    upper = float(values[last - 1]) if last <= n else math.inf
    return QuantileLimits(float(np.quantile(values, rank)), float(values[first - 1]), upper)


def quantile_ratio(before: QuantileLimits, after: QuantileLimits) -> Change | None:
    """Return by what factor a quantile changed; None where one of the two is 0.

    G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach", Statistics
    in Medicine 27 (2008) 1693-1702, on logarithms.
    """
    if before.value <= 0 or after.value <= 0:
        return None
    ratio = math.log(after.value / before.value)
    down = math.hypot(_log_ratio(after.value, after.low), _log_ratio(before.high, before.value))
    up = math.hypot(_log_ratio(after.high, after.value), _log_ratio(before.value, before.low))
    return Change(math.exp(ratio), math.exp(ratio - down), math.exp(ratio + up) if math.isfinite(up) else math.inf)


def _log_ratio(upper: float, lower: float) -> float:
    return math.log(upper / lower) if lower > 0 and math.isfinite(upper) else math.inf
