"""How to reach a cluster, by its URL or its name, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.object_storage.path import is_object_url
from mltasks.opensearch import config
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.credentials import Credentials
from mltasks.opensearch.retry_policy import RetryPolicy
from mltasks.opensearch.url import check_url

DEMO = "demo"  # the example data; no cluster is called so
PAGE_SIZE = 5000  # measured on 3.6.0: as fast as any, and a page is some 2 MB
Query = Mapping[str, Any] | None


@dataclass(frozen=True, repr=False)
class Access:
    """How to reach a cluster, and how to read it; files and frames need none of it.

    Parameters
    ----------
    credentials : Credentials, optional
        Who asks, and whom to trust; else what the environment or the configuration says.
    query : dict, optional
        OpenSearch query DSL, beside the filters. The functions' own keyword `query` says the same.
    allow_partial : bool
        Take what is there where a page stays incomplete; the result says so.
    progress : bool, optional
        Show a progress bar on stderr; else only where it is a terminal.
    page_size : int
        Tasks asked for at once.
    timeout : float
        Wait so long for one answer [s].
    deadline : float, optional
        Give up where reading takes longer in all [s].
    config : str, optional
        The file with the configured clusters; else mltasks.toml where it is looked for.
    redact : bool
        Mask secrets, users, hosts, the cluster's address and names of nodes (best effort).

    Examples
    --------
    >>> access = mltasks.Access(mltasks.Credentials(user="reader", password="secret"), deadline=60)
    >>> access
    Access(credentials=Credentials(user='reader', password=***), deadline=60)
    >>> len(mltasks.load("demo", access=access))
    552
    """

    credentials: Credentials | None = None
    query: Query = None
    allow_partial: bool = False
    progress: bool | None = None
    page_size: int = PAGE_SIZE
    timeout: float = 60.0
    deadline: float | None = None
    config: str | None = None
    redact: bool = False

    def __repr__(self) -> str:
        """Return what differs from the defaults, on one line and without secrets."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return f"Access({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def with_query(access: Access | None, query: Query) -> Access:
    """Return how to read a cluster, with the query of a call; raises UsageError where there are two."""
    access = access or Access()
    if query is None:
        return access
    if access.query is not None:
        raise UsageError("query: given twice, by itself and in access; give it once")
    return replace(access, query=query)


def _exists(source: str) -> bool:
    try:
        return Path(source).exists()
    except (OSError, ValueError):  # no name for a file
        return False


def check_cluster(source: str, config_file: str | None) -> None:
    """Raise UsageError for a name that is not that of a cluster, and for a URL that cannot be one."""
    is_url = "://" in source and not is_object_url(source)
    if source == DEMO or not (is_url or source in config.clusters(config_file)):
        raise no_cluster(source, config_file)
    if is_url:
        check_url(source)


def no_cluster(source: str, config_file: str | None) -> UsageError:
    """Return the error for what is not a cluster, and cannot be followed."""
    near = config.suggest_cluster(source, config_file)
    return UsageError(f"{source}: only a cluster can be followed; {near}name its URL, or a configured one")


def open_cluster(source: Any, access: Access, *, prefer_files: bool = True) -> Cluster | None:
    """Return the cluster that a source names; None where it is something else.

    A file or folder of the same name wins over a configured cluster, unless `prefer_files` is False. Raises UsageError.
    """
    if isinstance(source, Cluster):
        return source
    if not isinstance(source, str) or source == DEMO or is_object_url(source):
        return None
    reach: dict[str, Any] = {"timeout": access.timeout, "retry_policy": RetryPolicy(deadline=access.deadline)}
    if "://" in source:
        return Cluster(source, access.credentials or Credentials.from_environment(), **reach)
    if prefer_files and _exists(source):
        return None
    configured = config.find(source, access.config)
    if configured is None:
        return None
    section, file = configured
    return Cluster(section.url, config.credentials(source, section, file), name=source, **reach)
