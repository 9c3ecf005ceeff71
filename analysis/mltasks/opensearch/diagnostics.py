"""What can be reached and read of a cluster, what is missing for what, and one proposal per problem."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from mltasks.exceptions import Error
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.cluster_info import read_cluster_info
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.page_reader import PageReader, PageRequest


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `problem` stops the reading of tasks, `missing` only costs what it says."""

    name: str
    state: Literal["ok", "missing", "problem"]
    said: str
    remedy: str | None = None


def examine(cluster: Cluster) -> Iterator[Check]:
    """Yield what is found, one thing after the other; nothing is changed, nothing is tried again for long."""
    try:
        newest, _ = PageReader(cluster, Decoder(), None).page(PageRequest(1, newest=True))
    except Error as error:
        said = str(error).removeprefix(cluster.url).removeprefix(":").strip()
        words, _, remedy = said.rpartition("; ")
        yield Check("tasks", "problem", words or said, remedy if words else None)
        yield from _who(cluster)
        return
    yield Check("reachable", "ok", cluster.url)
    yield _tls(cluster)
    yield Check("version", "ok", cluster.version() or "not told: the user may not ask, and there is no header")
    yield from _who(cluster)
    count = newest.total.value if newest.total else 0
    shards = newest.shards.total if newest.shards else 0
    said = f"{count:,} tasks can be read" if shards else "no task index yet: nothing was recorded"
    yield Check("tasks", "ok", said)
    if shards > 1:
        yield Check("shards", "missing", f"the task index has {shards} shards: read completely, but not to be synced")
    elif shards:
        yield Check("shards", "ok", "one: its order of writes can be followed")
    info = read_cluster_info(cluster, 0)
    yield _right(
        "node names",
        info.nodes is not None,
        "cluster:monitor/nodes/info",
        "reports show node ids, and cannot prove that a task is lost",
    )
    said = f"{info.timeout_s} s"
    yield _right("task time-out", not info.timeout_assumed, "cluster:monitor/state", "it is taken as 600 s", said)
    yield _right(
        "training pools",
        info.train_pool_size is not None,
        "cluster:monitor/nodes/info and cluster:monitor/nodes/stats",
        "durations cannot tell waiting from running",
    )
    yield _right(
        "models",
        info.model_index is not None,
        "cluster:admin/opensearch/ml/models/search",
        "models are known by their tasks only",
    )
    yield _right(
        "profile",
        info.held_tasks is not None,
        "cluster:admin/opensearch/ml/profile/nodes",
        "what the nodes hold now is not known",
    )


def _right(name: str, there: bool, permission: str, cost: str, said: str = "can be read") -> Check:
    if there:
        return Check(name, "ok", said)
    return Check(name, "missing", f"cannot be read; {cost}", f"add the permission {permission} to the user's role")


def _who(cluster: Cluster) -> Iterator[Check]:
    info = cluster.get_or_none("/_plugins/_security/authinfo")
    if isinstance(info, dict) and info.get("user_name"):
        roles = info.get("roles")
        names = ", ".join(map(str, roles if isinstance(roles, list) else [])) or "none"
        yield Check("user", "ok", f"{info['user_name']}, with the roles {names}")


def _tls(cluster: Cluster) -> Check:
    if not cluster.url.startswith("https://"):
        said = "not used: passwords and tasks travel in the clear"
        return Check("TLS", "missing", said, "write https:// if the port can")
    if cluster.credentials.insecure:
        said = "used, but the certificate is not checked"
        return Check("TLS", "missing", said, "give --ca-certs instead of --insecure")
    try:
        certificate = _certificate(cluster)
    except OSError as error:
        return Check("TLS", "missing", f"the certificate could not be looked at ({error})")
    issuer = {key: value for pairs in certificate.get("issuer", ()) for key, value in pairs}
    until = certificate.get("notAfter", "")
    return Check("TLS", "ok", f"signed by {issuer.get('commonName') or json.dumps(issuer)}, valid until {until}")


def _certificate(cluster: Cluster) -> dict[str, Any]:
    parts, credentials = urlsplit(cluster.url), cluster.credentials
    context = ssl.create_default_context(cafile=credentials.ca_certs)
    if credentials.client_cert:
        context.load_cert_chain(credentials.client_cert, credentials.client_key)
    address = (parts.hostname or "", parts.port or 443)
    with (
        socket.create_connection(address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
    ):
        return dict(secured.getpeercert() or {})
