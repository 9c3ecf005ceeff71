"""What a change means: worse, better, the same, or not to be told."""

from __future__ import annotations

import math
from typing import NamedTuple

from mltasks.reports.declarations.compare import VERDICTS
from mltasks.reports.statistics.change import Change

ORDER = VERDICTS
WORSE, BETTER, MAYBE_WORSE, MAYBE_BETTER, UNCLEAR, SAME, ONLY_BEFORE, ONLY_AFTER, TOO_FEW = ORDER
TOLD = ORDER[: ORDER.index(UNCLEAR)]  # the verdicts that say something
COMPARED = ORDER[: ORDER.index(ONLY_BEFORE)]  # those of groups that could be compared
FEWEST = 10  # tasks on each side
POINTS = 0.05  # the least change of a rate to speak of
FACTOR = 1.25  # and of a duration


class Intervals(NamedTuple):
    """A change with its 95 % interval, and with one that holds for all comparisons of a report together."""

    shown: Change
    strict: Change


def judge_rate(intervals: Intervals) -> str:
    """Return the verdict on the difference of two failure rates."""
    return _judge(intervals, 0.0, POINTS)


def judge_ratio(intervals: Intervals) -> str:
    """Return the verdict on the ratio of two durations."""
    shown, strict = (Change(*(math.log(end) if end > 0 else -math.inf for end in change)) for change in intervals)
    return _judge(Intervals(shown, strict), 0.0, math.log(FACTOR))


def _judge(intervals: Intervals, none: float, least: float) -> str:
    """Return `worse` or `better` where the strict interval is clear of no change and the change large enough."""
    shown, strict = intervals
    large = abs(shown.value) >= least
    if large and strict.low > none:
        return WORSE
    if large and strict.high < none:
        return BETTER
    if -least < shown.low and shown.high < least:
        return SAME
    if shown.low > none:
        return MAYBE_WORSE
    return MAYBE_BETTER if shown.high < none else UNCLEAR


def combine(rate: str, median: str, high: str) -> str:
    """Return the verdict of the three that weighs most; that of a high percentile only where it says something."""
    return min((rate, median, *([high] if high in TOLD else [])), key=ORDER.index)
