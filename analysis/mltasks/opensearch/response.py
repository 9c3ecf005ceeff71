"""What comes back from a cluster, or does not; none of it needs a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    def is_json_object(self) -> bool:
        """Whether the body begins as a JSON object does."""
        return self.body.lstrip().startswith(b"{")

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
