"""How often and how long a cluster is asked again: every number of it stands here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mltasks.opensearch.response import DeadlineError, NoResponseError

BUSY = (429, 500, 502, 503, 504, *range(520, 531))  # answers that may pass; 52x are those of proxies
FIRST_TRIES, MOST_TRIES = 3, 12  # at one request, before and after the cluster has answered at all
PAGE_TRIES = 4  # at a page that is not whole; each may be answered by another copy of the shard
CLOSING_TRIES = 5  # at the end of a walk, until it is proven that nothing is missing
REFRESH_S = 1.5  # after which every copy of a shard shows what was written before: they refresh each second


@dataclass
class RetryPolicy:
    """How long to go on: `seconds` in all for one request, waiting between `first` and `longest` seconds."""

    seconds: float = 120.0
    first: float = 0.5
    longest: float = 20.0
    deadline: float | None = None  # for everything together [s], from now
    sleep: Callable[[float], None] = time.sleep  # waits between two tries; callers may give their own way to wait
    begun: float = field(default_factory=time.monotonic)

    def seconds_left(self) -> float:
        """Return the seconds until the deadline; raises NoResponseError where it is over."""
        if self.deadline is None:
            return float("inf")
        left = self.begun + self.deadline - time.monotonic()
        if left <= 0:
            raise NoResponseError(DeadlineError(f"the deadline of {self.deadline:g} s is over"))
        return left

    def pause(self, attempt: int) -> None:
        """Wait before the next try, the longer the more there were."""
        self.sleep(min(self.first * 2**attempt, self.longest, self.seconds_left()))
