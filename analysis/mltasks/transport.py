"""One request to a cluster, tried again where waiting helps: opensearch-py carries it, tenacity waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import tenacity
import urllib3
from opensearchpy import OpenSearch
from opensearchpy.connection import Urllib3HttpConnection

from mltasks.early import Early, EarlyTLS

DRIP = 5  # times the time-out of one read, for a whole body
PART, LARGEST = 2**20, 2**26  # bytes asked for at once where the length is not known; at most
FIRST_TRIES, MOST_TRIES = 3, 12  # before and after the cluster has answered at all
HOPELESS = (  # without any answer so far, these mean a wrong URL or wrong options, which waiting does not mend
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.SSLError,
)
AGENT = f"mltasks/{metadata.version('mltasks')} (opensearch-py/{metadata.version('opensearch-py')})"
BUSY = (429, 502, 503, 504)
TOO_LARGE = (408, 413)
TOO_LARGE_WORDS = (b"circuit_breaking_exception", b"Result window is too large", b"time_exceeded_exception")


@dataclass(frozen=True)
class Answer:
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


class NoAnswerError(Exception):
    """Nothing usable came back; `cause` is what urllib3 says."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class DeadlineError(Exception):
    """The time that the whole run may take is over."""


class RawConnection(Urllib3HttpConnection):
    """opensearch-py's connection, handing out status, headers and bytes instead of raising and parsing."""

    _last: Early | None = None  # the connection of the last answer

    def _create_urllib3_pool(self) -> None:
        super()._create_urllib3_pool()
        self.pool.ConnectionCls = EarlyTLS if self.use_ssl else Early

    def perform_request(  # bytes instead of text: a page is decoded once, by us
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        ignore: Any = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; raises NoAnswerError where no complete answer came."""
        limit = timeout or self.timeout
        try:
            answer = self.pool.urlopen(
                method,
                self.url_prefix + url,
                body,
                retries=urllib3.Retry(False),
                headers=self._sent(method, url, body, headers),
                timeout=limit,
                preload_content=False,
            )
            self._last = answer.connection
            return Answer(answer.status, self.get_response_headers(answer), self._received(answer, limit))
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise NoAnswerError(error) from error

    def ask_early(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request that `perform_request` is going to be called for."""
        if self._last is not None:
            self._last.ask(method, self.url_prefix + url, body, self._sent(method, url, body, headers))

    def forget(self) -> None:
        """Drop what was asked early and is not wanted any more."""
        if self._last is not None:
            self._last.forget()

    def _sent(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = {**self.headers, **(headers or {})}
        if callable(self.http_auth):  # a signer
            sent.update(self.http_auth(method, self.host + self.url_prefix + url, body))
        return sent

    def _received(self, answer: urllib3.BaseHTTPResponse, timeout: float) -> bytes:
        """Return the body; a server that drips it is given up, though every single byte comes in time."""
        until = time.monotonic() + timeout * DRIP
        parts = []
        rest = getattr(answer, "length_remaining", None) or PART  # one part where all is there: it is not copied again
        try:
            while part := answer.read1(min(rest, LARGEST)):
                parts.append(part)
                if time.monotonic() > until:
                    raise urllib3.exceptions.ReadTimeoutError(self.pool, self.host, "the answer does not end")
        except BaseException:
            answer.close()  # half read, the connection is of no use any more
            raise
        answer.release_conn()
        return b"".join(parts)


@dataclass
class Patience:
    """How long to go on: `seconds` in all for one request, waiting between `first` and `longest` seconds."""

    seconds: float = 120.0
    first: float = 0.5
    longest: float = 20.0
    deadline: float | None = None  # for everything together [s], from now
    sleep: Callable[[float], None] = time.sleep
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Return the seconds until the deadline; raises NoAnswerError where it is over."""
        if self.deadline is None:
            return float("inf")
        left = self.begun + self.deadline - time.monotonic()
        if left <= 0:
            raise NoAnswerError(DeadlineError(f"the deadline of {self.deadline:g} s is over"))
        return left

    def pause(self, attempt: int) -> None:
        """Wait before the next try, the longer the more there were."""
        self.sleep(min(self.first * 2**attempt, self.longest, self.left()))


class Transport:
    """Requests to one cluster, tried again while that may help: longer once it has answered at all."""

    def __init__(self, options: Mapping[str, Any], patience: Patience, timeout: float) -> None:
        self._client = OpenSearch(connection_class=RawConnection, max_retries=0, timeout=timeout, **options)
        self.patience = patience
        self._timeout = timeout
        self._answered = False

    def request(self, method: str, path: str, body: bytes | None = None, patient: bool = True) -> Answer:
        """Send a request and return the last answer; raises NoAnswerError where none came.

        The wait before try n is random in [0, first * 2^n], at most `longest`, and not shorter than what the
        server asks for in Retry-After (full jitter: AWS Architecture Blog, Exponential Backoff And Jitter).
        """
        connection = self._client.transport.get_connection()
        headers = _headers(body)

        def once() -> Answer:
            limit = min(self._timeout, self.patience.left())
            answer: Answer = connection.perform_request(method, path, body=body, headers=headers, timeout=limit)
            self._answered = True
            return answer

        if not patient:
            return once()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda a: a.status in BUSY and not a.too_large)
            | tenacity.retry_if_exception(self._may_pass),
            stop=self._enough,
            wait=self._wait,
            sleep=self.patience.sleep,
            retry_error_callback=_last,
        )
        return retrying(once)

    def ask_early(self, method: str, path: str, body: bytes) -> None:
        """Send a request that `request` is going to be called for next."""
        self._client.transport.get_connection().ask_early(method, path, body, _headers(body))

    def forget(self) -> None:
        """Drop what was asked early and is not wanted any more."""
        self._client.transport.get_connection().forget()

    def _may_pass(self, error: BaseException) -> bool:
        if not isinstance(error, NoAnswerError) or isinstance(error.cause, DeadlineError):
            return False
        return self._answered or not isinstance(error.cause, HOPELESS)

    def _enough(self, state: tenacity.RetryCallState) -> bool:
        tries = MOST_TRIES if self._answered else FIRST_TRIES
        return state.attempt_number >= tries or (state.seconds_since_start or 0.0) >= self.patience.seconds

    def _wait(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_random_exponential(multiplier=self.patience.first, max=self.patience.longest)
        asked = 0.0
        if state.outcome is not None and not state.outcome.failed:
            after = state.outcome.result().headers.get("retry-after", "")
            asked = float(after) if after.isdecimal() else 0.0
        return min(max(backoff(state), min(asked, self.patience.seconds)), self.patience.left())

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _headers(body: bytes | None) -> dict[str, str]:
    return {"content-type": "application/json"} if body is not None else {}


def _last(state: tenacity.RetryCallState) -> Answer:
    """Return the last answer, or raise the last error, once patience is over."""
    assert state.outcome is not None
    answer: Answer = state.outcome.result()
    return answer
