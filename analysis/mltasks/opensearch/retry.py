"""One request to a cluster, tried again where waiting helps: opensearch-py carries it, tenacity waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import tenacity
import urllib3
from opensearchpy import OpenSearch

from mltasks.opensearch.connection import RawConnection
from mltasks.opensearch.response import DeadlineError, NoResponseError, Response
from mltasks.opensearch.retry_policy import BUSY, FIRST_TRIES, MOST_TRIES, RetryPolicy

NEVER_RETRIED = (  # without any answer so far, these mean a wrong URL or wrong options, which waiting does not mend
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.SSLError,
)


class RetryingTransport:
    """Requests to one cluster, tried again while that may help: longer once it has answered at all."""

    def __init__(self, options: Mapping[str, Any], policy: RetryPolicy, timeout: float) -> None:
        self._client = OpenSearch(connection_class=RawConnection, max_retries=0, timeout=timeout, **options)
        self.policy = policy
        self._timeout = timeout
        self._answered = False

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        retried: Collection[int] | None = BUSY,
        timeout: float | None = None,
    ) -> Response:
        """Send a request and return the last answer; raises NoResponseError where none came.

        It is tried again where nothing came, or one of the statuses `retried`; None: once, whatever comes.

        The wait before try n is random in [0, first * 2^n], at most `longest`, and not shorter than what the
        server asks for in Retry-After (full jitter: AWS Architecture Blog, Exponential Backoff And Jitter).
        """
        connection = self._client.transport.get_connection()
        headers = _headers(body)

        def once() -> Response:
            left = self.policy.seconds_left()
            limit = min(self._timeout, timeout or self._timeout, left)
            answer: Response = connection.perform_request(
                method, path, body=body, headers=headers, timeout=limit, within=left
            )
            self._answered = True
            return answer

        if retried is None:
            return once()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda a: a.status in retried and not a.too_large)
            | tenacity.retry_if_exception(self._may_pass),
            stop=self._enough,
            wait=self._wait,
            sleep=self.policy.sleep,
            retry_error_callback=_last,
        )
        return retrying(once)

    def prefetch(self, method: str, path: str, body: bytes) -> None:
        """Send a request that `request` is going to be called for next."""
        self._client.transport.get_connection().prefetch(method, path, body, _headers(body))

    def cancel_prefetch(self) -> None:
        """Drop the prefetched request, where its answer is not wanted any more."""
        self._client.transport.get_connection().cancel_prefetch()

    def _may_pass(self, error: BaseException) -> bool:
        if not isinstance(error, NoResponseError) or isinstance(error.cause, DeadlineError):
            return False
        return self._answered or not isinstance(error.cause, NEVER_RETRIED)

    def _enough(self, state: tenacity.RetryCallState) -> bool:
        tries = MOST_TRIES if self._answered else FIRST_TRIES
        return state.attempt_number >= tries or (state.seconds_since_start or 0.0) >= self.policy.seconds

    def _wait(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_random_exponential(multiplier=self.policy.first, max=self.policy.longest)
        asked = 0.0
        if state.outcome is not None and not state.outcome.failed:
            after = state.outcome.result().headers.get("retry-after", "")
            asked = float(after) if after.isdecimal() else 0.0
        return min(max(backoff(state), min(asked, self.policy.seconds)), self.policy.seconds_left())

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _headers(body: bytes | None) -> dict[str, str]:
    return {"content-type": "application/json"} if body is not None else {}


def _last(state: tenacity.RetryCallState) -> Response:
    """Return the last answer, or raise the last error, once the retry policy is used up."""
    assert state.outcome is not None
    answer: Response = state.outcome.result()
    return answer
