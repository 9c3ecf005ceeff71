"""Since when a failure rate has been another one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mltasks.reports.statistics.design_effect import average_design_effect, design_effect_of

EDGE = 10  # tasks that each side has at least
EVIDENCE = 13.0  # 99 % of scans of 100 to 4 000 tasks without a change stay below 12.0-14.4
NEAR = 7.35  # -2 ln(1 - sqrt(0.95)): how far below the best place another one may be


class ChangePoint(NamedTuple):
    """The first task of the new rate, by its place among the tasks, and the places it may be between."""

    place: int
    first: int
    last: int
    evidence: float  # the likelihood ratio against no change, over the design effect

    @property
    def clear(self) -> bool:
        """Whether the evidence is enough to speak of a change."""
        return self.evidence >= EVIDENCE


def find_change_point(times: Any, failed: Any) -> ChangePoint | None:
    """Return where a failure rate changed most, None for fewer than 20 tasks; see `ChangePoint.clear`.

    `times`: create_time [ms] in its order; `failed`: whether each failed. The likelihood ratio of two rates against
    one, for each place, by cumulative sums, over the design effect within the two sides. Places near the best one:
    B. E. Hansen, "Sample splitting and threshold estimation", Econometrica 68 (2000) 575-603.
    """
    times, failed = np.asarray(times, "int64"), np.asarray(failed, "int64")
    n = len(failed)
    if n < 2 * EDGE:
        return None
    places = np.arange(EDGE, n - EDGE + 1)
    sums = np.cumsum(failed)
    before, total = sums[places - 1], sums[-1]
    ratio = 2 * (
        _likelihood(before, places) + _likelihood(total - before, n - places) - _likelihood(np.array([total]), n)
    )
    best = int(np.argmax(ratio))
    place = int(places[best])
    sides = (slice(None, place), slice(place, None))
    effects = [design_effect_of(times[s], failed[s], int(times[s][0]), int(times[s][-1]) + 1) for s in sides]
    scaled = ratio / average_design_effect(effects, [place, n - place])
    near = places[scaled >= scaled[best] - NEAR]
    return ChangePoint(place, int(near[0]), int(near[-1]), float(scaled[best]))


def _likelihood(failed: np.ndarray[Any, Any], of: Any) -> np.ndarray[Any, Any]:
    """Return the logarithm of the greatest likelihood of so many failures."""
    mixed = (failed > 0) & (failed < of)
    share = np.where(mixed, failed / of, 0.5)
    value: np.ndarray[Any, Any] = np.where(mixed, failed * np.log(share) + (of - failed) * np.log1p(-share), 0.0)
    return value
