"""Statistics that the reports share."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

Z95 = NormalDist().inv_cdf(0.975)


def wilson(failed: pd.Series[int], of: pd.Series[int]) -> tuple[pd.Series[float], pd.Series[float], pd.Series[float]]:
    """Return the share failed / of and its 95 % score interval; all three are missing where `of` is 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
    It takes the tasks as independent; failures that come in bursts make the true interval wider.
    """
    n = of.astype("float64").where(of > 0)
    share = failed / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half: pd.Series[float] = Z95 / (1 + Z95**2 / n) * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    # at 0 and at n failures one end is exact; rounding must not put it beyond
    low = (centre - half).clip(lower=0.0).mask(share == 0, 0.0)
    return share, low, (centre + half).clip(upper=1.0).mask(share == 1, 1.0)
