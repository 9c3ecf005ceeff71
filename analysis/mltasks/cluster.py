"""A connection: URL, credentials and TLS to an OpenSearch cluster, and the few endpoints that are read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mltasks import refusals
from mltasks.context import Node
from mltasks.errors import ClusterError, UsageError
from mltasks.transport import Answer, NoAnswerError, Patience, Transport

SEARCH = "/_plugins/_ml/tasks/_search"
TIMEOUT_SETTING = "plugins.ml_commons.ml_task_timeout_in_seconds"


@dataclass(frozen=True)
class Credentials:
    """Who asks, and whom to trust. `repr` shows no secret."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False

    @classmethod
    def from_environment(cls) -> Credentials:
        """Read MLTASKS_USER, MLTASKS_PASSWORD, MLTASKS_TOKEN, MLTASKS_CA_CERTS, MLTASKS_CLIENT_CERT, ..._KEY."""
        found = {f.name: os.environ.get(f"MLTASKS_{f.name.upper()}") or None for f in fields(cls)}
        insecure = found.pop("insecure") not in (None, "0", "false")
        return cls(**found, insecure=insecure)

    def check(self) -> None:
        """Raise UsageError for pairs that do not fit and files that are not there, before any connection."""
        if self.client_key and not self.client_cert:
            raise UsageError(f"--client-key {self.client_key}: give its certificate too, with --client-cert")
        if self.user and self.password is None:
            raise UsageError(f"--user {self.user}: no password; set MLTASKS_PASSWORD or give --password-file")
        if self.password is not None and not self.user:
            raise UsageError("there is a password but no user; give --user or set MLTASKS_USER")
        if self.user and self.token:
            raise UsageError(f"--user {self.user} and a token at once; use one of them")
        for option, name in (
            ("ca-certs", self.ca_certs),
            ("client-cert", self.client_cert),
            ("client-key", self.client_key),
        ):
            if name and not Path(name).is_file():
                raise UsageError(f"--{option} {name}: there is no such file")


class Cluster:
    """One cluster; every method raises ClusterError with a remedy where the cluster cannot be asked."""

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        name: str | None = None,
        timeout: float = 60.0,
        patience: Patience | None = None,
    ) -> None:
        credentials = credentials or Credentials()
        credentials.check()
        parts = _checked(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.name = name or parts.netloc
        self.patience = patience or Patience()
        self._transport = Transport(_options(parts, credentials), self.patience, timeout)

    def search(self, body: Mapping[str, Any]) -> Answer:
        """Ask the task endpoint; 'a smaller page, please' and 'no index yet' are returned, other refusals raised."""
        answer = self._request("POST", SEARCH, json.dumps(body).encode())
        if answer.ok or answer.too_large or answer.no_index:
            return answer
        raise refusals.refused(self.url, answer)

    def refresh(self, task_id: str) -> dict[str, Any] | None:
        """Ask for one task by id; None where there is none. The server polls the provider of a batch job for it."""
        answer = self._request("GET", f"/_plugins/_ml/tasks/{task_id}")
        if answer.status == 404:
            return None
        if not answer.ok:
            raise refusals.refused(self.url, answer)
        return dict(self._json(answer))

    def nodes(self) -> dict[str, Node] | None:
        """Return the nodes by id; None where the user may not ask, or the cluster cannot answer now."""
        answer = self._optional("/_nodes/_all/none")
        found = answer.get("nodes") if answer else None
        if not isinstance(found, dict):
            return None
        return {key: Node(str(n.get("name", key)), tuple(n.get("roles") or ())) for key, n in found.items()}

    def task_timeout(self) -> int | None:
        """Return the time-out of tasks [s]; None where the user may not ask."""
        answer = self._optional(f"/_cluster/settings?include_defaults=true&filter_path=*.{TIMEOUT_SETTING}") or {}
        for level in ("transient", "persistent", "defaults"):  # the first one that says something holds
            value: Any = answer.get(level)
            for key in TIMEOUT_SETTING.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, int | str) and str(value).isdecimal():
                return int(value)
        return None

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        try:
            return self._transport.request(method, path, body)
        except NoAnswerError as error:
            raise refusals.no_answer(self.url, error) from error

    def _optional(self, path: str) -> dict[str, Any] | None:
        """Ask for something that is good to know but not needed: any trouble is None, and nothing is repeated."""
        try:
            answer = self._transport.request("GET", path, patient=False)
            return dict(self._json(answer)) if answer.ok else None
        except (NoAnswerError, ClusterError):
            return None

    def _json(self, answer: Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise refusals.not_json(self.url, answer)
        return found


def _checked(url: str) -> Any:
    parts = urlsplit(url)
    if parts.username or parts.password:
        shown = url.replace(f"{parts.netloc}", parts.netloc.rpartition("@")[2])
        raise UsageError(f"{shown}: credentials in a URL end up in logs; give --user and set MLTASKS_PASSWORD instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url}: not the URL of a cluster; write http://host:9200 or https://host:9200")
    try:
        parts.port  # noqa: B018  # reading it is the check
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from None
    if parts.query or parts.fragment:
        raise UsageError(f"{url}: a cluster's URL has no '?' or '#'; the task endpoint takes no parameters")
    return parts


def _options(parts: Any, credentials: Credentials) -> dict[str, Any]:
    secure = parts.scheme == "https"
    host = {"host": parts.hostname, "port": parts.port or (443 if secure else 80), "use_ssl": secure}
    options: dict[str, Any] = {
        "hosts": [{**host, "url_prefix": parts.path.strip("/")}],
        "headers": {"user-agent": "mltasks"},
    }
    if credentials.user:
        options["http_auth"] = (credentials.user, credentials.password)
    if credentials.token:
        options["headers"]["authorization"] = f"Bearer {credentials.token}"
    if secure:
        options["verify_certs"] = not credentials.insecure
        options["ssl_show_warn"] = False
        names = ("ca_certs", "client_cert", "client_key")
        options |= {name: value for name in names if (value := getattr(credentials, name)) is not None}
    return options
