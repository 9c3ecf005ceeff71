"""Intervals of a share, and the quantiles they need."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

Z95 = NormalDist().inv_cdf(0.975)
Array = np.ndarray[Any, Any]


def wilson(
    failed: pd.Series[int], of: pd.Series[int], design_effect: pd.Series[float] | float = 1.0
) -> tuple[pd.Series[float], pd.Series[float], pd.Series[float]]:
    """Return the share failed / of and its 95 % score interval; all three are missing where `of` is 0.

    `design_effect`: by how much failures in bursts make the share less certain; see `design_effect.design_effects`.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212, on
    of / design_effect tasks: J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data",
    Biometrics 48 (1992) 577-585.
    """
    n = of.astype("float64").where(of > 0)
    share = failed / n
    low, high = score_limits(share.to_numpy("float64"), (n / design_effect).to_numpy("float64"))
    return share, pd.Series(low, index=share.index), pd.Series(high, index=share.index)


def score_limits(share: Any, n: Any, quantile: float = Z95) -> tuple[Array, Array]:
    """Return the limits of Wilson's interval of a share of `n` tasks; `n` need not be a whole number."""
    share, n = np.asarray(share, "float64"), np.asarray(n, "float64")
    square = quantile**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * np.sqrt(share * (1 - share) / n + square / (4 * n**2))
    # at 0 and at n failures one end is exact; rounding must not put it beyond
    low = np.where(share == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(share == 1, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def student_quantile(probability: float, degrees: int = 19) -> float:
    """Return the quantile of Student's t distribution with an odd number of degrees of freedom.

    The distribution function is a finite sum where the number is odd (Abramowitz & Stegun, 26.7.3); its inverse is
    found by bisection.
    """
    if probability < 0.5:
        return -student_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while _student_cdf(high, degrees) < probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_cdf(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


def _student_cdf(t: float, degrees: int) -> float:
    assert degrees % 2 == 1, degrees
    angle = math.atan(t / math.sqrt(degrees))
    term, terms = math.cos(angle), 0.0
    for k in range(1, degrees - 1, 2):
        terms += term
        term *= math.cos(angle) ** 2 * (k + 1) / (k + 2)
    return 0.5 + (angle + math.sin(angle) * terms) / math.pi
