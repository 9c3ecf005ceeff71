"""The median of durations of which some are only known to be longer."""

from __future__ import annotations

from typing import Any

import numpy as np

from mltasks.reports.statistics.change import QuantileLimits
from mltasks.reports.statistics.intervals import Z95

ROUNDING = 1e-12  # a half that is a product of shares is not exactly one


def median(completed: Any, others: Any, quantile: float = Z95) -> QuantileLimits:
    """Return the median duration and its interval; infinite where half of the tasks are not known to be done.

    `completed`: durations of completed tasks; `others`: how long those that failed, were cut off or are open have
    lasted, so that they would have taken at least as long. E. L. Kaplan and P. Meier, "Nonparametric estimation from
    incomplete observations", JASA 53 (1958) 457-481; limits by log(-log), R. Brookmeyer and J. Crowley, "A confidence
    interval for the median survival time", Biometrics 38 (1982) 29-41.
    """
    ends, counts = np.unique(np.asarray(completed, "float64"), return_counts=True)
    lasted = np.sort(np.concatenate([np.asarray(completed, "float64"), np.asarray(others, "float64")]))
    at_risk = len(lasted) - np.searchsorted(lasted, ends, side="left")
    longer = np.cumprod(1 - counts / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):  # the last task may bring it to 0, where there is no limit
        variance = np.cumsum(counts / (at_risk * (at_risk - counts))) / np.log(longer) ** 2
        low, high = (longer ** np.exp(side * quantile * np.sqrt(variance)) for side in (1, -1))
    low = np.where(longer > 0, low, 0.0)
    return QuantileLimits(*(_first_below_half(ends, curve) for curve in (longer, low, high)))


def _first_below_half(ends: Any, curve: Any) -> float:
    places = np.flatnonzero(curve <= 0.5 + ROUNDING)
    return float(ends[places[0]]) if len(places) else np.inf


def longer_share(completed: int, longer: int) -> float:
    """Return the share of a kind of tasks that take as long as an open one or longer.

    `completed` tasks of its kind are done, `longer` of them took as long or longer. The estimate of Kaplan and Meier
    from these and the open task itself, which is the only one whose end is not known: the others that are open are in
    question as it is.
    """
    return (1 + longer) / (1 + completed)
