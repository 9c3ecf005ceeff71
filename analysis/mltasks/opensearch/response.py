"""What comes back from a cluster, or does not, and how long to wait for it; none of it needs a connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

TOO_LARGE = (408, 413)
TOO_LARGE_WORDS = (b"circuit_breaking_exception", b"Result window is too large", b"time_exceeded_exception")


@dataclass(frozen=True)
class Response:
    """What came back: the status, the headers with names in lower case, and the bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def too_large(self) -> bool:
        """Whether the server says that it would have answered a smaller page."""
        return not self.ok and (self.status in TOO_LARGE or any(w in self.body for w in TOO_LARGE_WORDS))

    @property
    def no_index(self) -> bool:
        """Whether no task was ever recorded there (2.12 and later answer with zero hits instead)."""
        return self.status == 404 and b"index_not_found_exception" in self.body


class NoResponseError(Exception):
    """Nothing usable came back; `cause` is what urllib3 says."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class DeadlineError(Exception):
    """The time that the whole run may take is over."""


@dataclass
class RetryPolicy:
    """How long to go on: `seconds` in all for one request, waiting between `first` and `longest` seconds."""

    seconds: float = 120.0
    first: float = 0.5
    longest: float = 20.0
    deadline: float | None = None  # for everything together [s], from now
    sleep: Callable[[float], None] = time.sleep  # how a busy cluster is given time; who cannot wait gives another
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Return the seconds until the deadline; raises NoAnswerError where it is over."""
        if self.deadline is None:
            return float("inf")
        left = self.begun + self.deadline - time.monotonic()
        if left <= 0:
            raise NoResponseError(DeadlineError(f"the deadline of {self.deadline:g} s is over"))
        return left

    def pause(self, attempt: int) -> None:
        """Wait before the next try, the longer the more there were."""
        self.sleep(min(self.first * 2**attempt, self.longest, self.left()))
