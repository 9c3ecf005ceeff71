"""Count concurrent tasks per group: a sweep line over [start, end) intervals, fed in batches sorted by start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NOTHING = np.empty(0, "int64")


class ConcurrencySweep:
    """The time with at least one task in flight [ms] and the most at once, of groups that are numbered from 0.

    A life is [begin, end) in ms; at one instant ends come before starts. Of the lives it keeps the ends of those in
    flight, and no more.
    """

    def __init__(self) -> None:
        self.active_ms = self.peak = self._until = NOTHING
        self._in_flight = NOTHING, NOTHING  # groups, ends

    def add(self, groups: Any, begins: Any, ends: Any) -> None:
        """Add the next lives: a group after the other, each by begin; no begin is before one of an earlier call."""
        if not len(groups):
            return
        first = np.flatnonzero(np.diff(groups, prepend=-1))  # of each group
        here, counts = groups[first], np.diff(first, append=len(groups))
        more = (0, max(0, here.max() + 1 - len(self.peak)))
        self.active_ms, self.peak, self._until = (np.pad(a, more) for a in (self.active_ms, self.peak, self._until))
        alone = self._exclusive_ms(groups, begins, ends, first, counts)
        self.active_ms[here] += np.add.reduceat(alone, first)
        level = self._level(groups, begins, ends, first, counts)
        self.peak[here] = np.maximum(self.peak[here], np.maximum.reduceat(level, first))

    def _exclusive_ms(self, groups: Any, begins: Any, ends: Any, first: Any, counts: Any) -> Any:
        """Return for how long each life goes on when all that have begun before it have ended."""
        here = groups[first]
        latest = ends.copy()
        latest[first] = np.maximum(latest[first], self._until[here])
        latest = pd.Series(latest).groupby(groups).cummax().to_numpy()
        before = np.concatenate([[0], latest[:-1]])
        before[first] = self._until[here]
        self._until[here] = latest[first + counts - 1]
        return np.maximum(ends - np.maximum(begins, before), 0)

    def _level(self, groups: Any, begins: Any, ends: Any, first: Any, counts: Any) -> Any:
        """Return how many are in flight when each life has begun: those that have begun less those that have ended."""
        carried = np.bincount(self._in_flight[0], minlength=groups.max() + 1)[groups]
        begun = np.arange(len(groups)) - np.repeat(first, counts) + 1
        all_groups, all_ends = (np.concatenate(pair) for pair in zip(self._in_flight, (groups, ends), strict=True))
        last = begins.max()
        going_on = all_ends > last
        self._in_flight = all_groups[going_on], all_ends[going_on]
        # one number for a group and a time, so that one sort puts the ends of all groups in order
        times = np.concatenate([begins, np.minimum(all_ends, last + 1)])
        times -= times.min()
        if int(times.max() + 1) * int(all_groups.max() + 1) > 2**62:
            times = np.unique(times, return_inverse=True)[1]
        width = times.max() + 1
        over = np.sort(all_groups * width + times[len(groups) :])
        earlier_groups = np.repeat(np.searchsorted(over, groups[first] * width), counts)
        ended = np.searchsorted(over, groups * width + times[: len(groups)], side="right") - earlier_groups
        return carried + begun - ended
