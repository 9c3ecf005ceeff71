"""A connection: URL, credentials and TLS to an OpenSearch cluster, and the few endpoints that are read."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mltasks.exceptions import UsageError
from mltasks.opensearch import error_messages
from mltasks.opensearch.credentials import Credentials, InsecureWarning
from mltasks.opensearch.response import NoResponseError, Response
from mltasks.opensearch.retry_policy import BUSY, RetryPolicy
from mltasks.opensearch.url import canonical_name, check_url, is_local

SEARCH = "/_plugins/_ml/tasks/_search"
TIMEOUT_SETTING = "plugins.ml_commons.ml_task_timeout_in_seconds"
PROVIDER_BUSY = tuple(status for status in BUSY if status != 500)  # a refused refresh is 500, and stays so
OPTIONAL_TIMEOUT = 10.0  # for what is asked beside the tasks [s]
INSECURE = (
    "--insecure: the server's certificate is not checked, so that whoever stands in between can read passwords and "
    "change answers; give --ca-certs instead"
)
PLAIN = "over plain http, whoever stands in between can read the credentials"


class Cluster:
    """One cluster, for one thread at a time: it is asked one thing after the other.

    Every method raises ClusterError with a remedy where the cluster cannot be asked.

    Parameters
    ----------
    url : str
        Such as ``"https://localhost:9200"``, without credentials.
    credentials : Credentials, optional
        Who asks, and whom to trust.
    name : str, optional
        What the column `cluster` calls it; else its address, ``"localhost:9200"``.
    timeout : float
        Wait so long for one answer [s].
    retry_policy : RetryPolicy, optional
        How often and how long it is asked again.
    patience : RetryPolicy, optional
        The first name of `retry_policy`.

    Examples
    --------
    >>> mltasks.Cluster("https://localhost:9200", name="prod")
    <Cluster prod at https://localhost:9200>
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        name: str | None = None,
        timeout: float = 60.0,
        retry_policy: RetryPolicy | None = None,
        patience: RetryPolicy | None = None,
    ) -> None:
        parts = check_url(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.name = name or canonical_name(url)
        self.is_named = name is not None  # by somebody, and not by its address
        self._answers_json = False  # whether it has answered as a cluster does
        self._policy = retry_policy or patience or RetryPolicy()
        self.credentials = credentials or Credentials()
        if self.credentials.insecure and parts.scheme == "https":
            warnings.warn(INSECURE, InsecureWarning, stacklevel=2)
        if self.credentials.is_secret and parts.scheme == "http" and not is_local(parts.hostname):
            if not self.credentials.insecure:
                remedy = "write https://, or give --insecure to send them all the same"
                raise UsageError(f"{self.url}: {PLAIN}; {remedy}")
            warnings.warn(f"--insecure: {PLAIN}", InsecureWarning, stacklevel=2)
        from mltasks.opensearch.retry import RetryingTransport

        self._transport = RetryingTransport(_options(parts, self.credentials), self._policy, timeout)

    def __repr__(self) -> str:
        """Return name and URL on one line."""
        return f"<Cluster {self.name} at {self.url}>"

    def with_name(self, name: str) -> Cluster:
        """Return the same cluster, on the same connection, under a name: itself where it has it already."""
        if name == self.name:
            return self
        other = copy.copy(self)
        other.name = name
        return other

    def search(self, body: Mapping[str, Any]) -> Response:
        """Ask the task endpoint; 'a smaller page, please' and 'no index yet' are returned, other refusals raised.

        A first answer that is no JSON means the wrong URL, and is raised; later it may pass, and is returned.
        """
        answer = self._request("POST", SEARCH, json.dumps(body).encode())
        if not (answer.ok or answer.too_large or answer.no_index):
            raise error_messages.error_from_response(self.url, answer, self.credentials)
        self._answers_json = self._answers_json or answer.is_json_object
        if answer.ok and not self._answers_json:
            raise error_messages.not_json(self.url, answer)
        return answer

    def task_states(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the states of tasks by id, as far as the answer tells them."""
        query = {"bool": {"filter": [{"ids": {"values": list(ids)}}]}}
        order = [{"_seq_no": "asc"}]
        answer = self.search(
            {"size": len(ids), "track_total_hits": True, "_source": ["state"], "sort": order, "query": query}
        )
        try:
            hits = json.loads(answer.body)["hits"]["hits"] if answer.ok else []
            return {hit["_id"]: str(hit["_source"]["state"]) for hit in hits}
        except (ValueError, KeyError, TypeError):
            return {}

    def prefetch(self, body: Mapping[str, Any]) -> None:
        """Send what `search` is going to be called for next: the cluster works at it meanwhile."""
        self._transport.prefetch("POST", SEARCH, json.dumps(body).encode())

    def cancel_prefetch(self) -> None:
        """Drop the prefetched request, where its answer is not wanted any more."""
        self._transport.cancel_prefetch()

    def refresh(self, task_id: str) -> dict[str, Any] | None:
        """Ask for one task by id; None where there is none. The server polls the provider of a batch job for it."""
        answer = self._request("GET", f"/_plugins/_ml/tasks/{quote(task_id, safe='')}", retried=PROVIDER_BUSY)
        if answer.status == 404:
            return None
        if not answer.ok:
            raise error_messages.error_from_response(self.url, answer, self.credentials)
        return dict(self._json(answer))

    def task_timeout(self) -> int | None:
        """Return the time-out of tasks [s]; None where the user may not ask."""
        answer = self.get_or_none(f"/_cluster/settings?include_defaults=true&filter_path=*.{TIMEOUT_SETTING}")
        if not isinstance(answer, dict):
            return None
        for level in ("transient", "persistent", "defaults"):  # the first one that says something holds
            value: Any = answer.get(level)
            for key in TIMEOUT_SETTING.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, int | str) and str(value).isdecimal():
                return int(value)
        return None

    def version(self) -> str | None:
        """Return what the server says it is: from a header that needs no right, else from its root; None if neither."""
        try:
            answer = self._transport.request("GET", "/", retried=None)
        except NoResponseError:
            return None
        if "x-opensearch-version" in answer.headers:
            return answer.headers["x-opensearch-version"]
        version = self._json(answer).get("version") if answer.ok else None
        return f"OpenSearch/{version.get('number')}" if isinstance(version, dict) else None

    def pause(self, attempt: int) -> None:
        """Wait before asking again; raises ClusterError where the deadline is over."""
        try:
            self._policy.pause(attempt)
        except NoResponseError as error:
            raise error_messages.error_from_exception(self.url, error) from None

    def wait(self, seconds: float) -> None:
        """Let so much time go by; raises ClusterError where the deadline is over before."""
        try:
            self._policy.sleep(min(seconds, self._policy.seconds_left()))
        except NoResponseError as error:
            raise error_messages.error_from_exception(self.url, error) from None

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _request(self, method: str, path: str, body: bytes | None = None, retried: Collection[int] = BUSY) -> Response:
        try:
            return self._transport.request(method, path, body, retried)
        except NoResponseError as error:
            raise error_messages.error_from_exception(self.url, error) from None

    def get_or_none(self, path: str) -> Any:
        """Ask for something that is good to know but not needed: any trouble is None, and nothing is repeated."""
        return self._ask_or_none("GET", path)

    def search_or_none(self, path: str, body: Mapping[str, Any]) -> Any:
        """Search for something that is good to know but not needed; as `get_or_none`."""
        return self._ask_or_none("POST", path, json.dumps(body).encode())

    def _ask_or_none(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            answer = self._transport.request(method, path, body, retried=None, timeout=OPTIONAL_TIMEOUT)
            return json.loads(answer.body) if answer.ok else None
        except (NoResponseError, ValueError, RecursionError):
            return None

    def _json(self, answer: Response) -> dict[str, Any]:
        try:
            value = json.loads(answer.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise error_messages.not_json(self.url, answer)
        return value


def _options(parts: Any, credentials: Credentials) -> dict[str, Any]:
    from importlib import metadata  # here, since whoever reads a file connects to nothing

    secure = parts.scheme == "https"
    host = {"host": parts.hostname, "port": parts.port or (443 if secure else 80), "use_ssl": secure}
    options: dict[str, Any] = {"hosts": [{**host, "url_prefix": quote(parts.path.strip("/"), safe="/%~")}]}
    options |= credentials.login()
    agent = f"mltasks/{metadata.version('mltasks')} (opensearch-py/{metadata.version('opensearch-py')})"
    options["headers"] = {"user-agent": agent, **options.get("headers", {})}
    return options | credentials.tls() if secure else options
