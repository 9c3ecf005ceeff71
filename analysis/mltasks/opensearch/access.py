"""How to reach a cluster, by its URL or its name, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mltasks.opensearch import config
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.credentials import Credentials
from mltasks.opensearch.retry_policy import RetryPolicy

DEMO = "demo"  # the example data; no cluster is called so
PAGE_SIZE = 5000  # measured on 3.6.0: as fast as any, and a page is some 2 MB
Query = Mapping[str, Any] | None


@dataclass(frozen=True)
class Access:
    """How to reach a cluster, and how to read it; files and frames need none of it."""

    credentials: Credentials | None = None
    query: Query = None
    allow_partial: bool = False
    progress: bool | None = None
    page_size: int = PAGE_SIZE
    timeout: float = 60.0  # for one answer [s]
    deadline: float | None = None  # for the whole reading [s]
    config: str | None = None  # the file with the configured clusters; None: where `config.path` looks
    redact: bool = False  # mask user names, addresses and hosts in texts


def open_cluster(source: Any, access: Access) -> Cluster | None:
    """Return the cluster that a source names; None where it is something else."""
    if isinstance(source, Cluster):
        return source
    if not isinstance(source, str) or source == DEMO:
        return None
    reach: dict[str, Any] = {"timeout": access.timeout, "retry_policy": RetryPolicy(deadline=access.deadline)}
    if "://" in source:
        return Cluster(source, access.credentials or Credentials.from_environment(), **reach)
    section = config.clusters(access.config).get(source)
    file = config.path(access.config)
    if section is None or file is None:
        return None
    return Cluster(section.url, config.credentials(source, section, file), name=source, **reach)
