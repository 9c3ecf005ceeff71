"""The analysis toolkit for OpenSearch ML Commons tasks: load all of them, report on them, export them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltasks.access import Access as Access
    from mltasks.cluster import Cluster as Cluster
    from mltasks.credentials import Credentials as Credentials
    from mltasks.errors import ClusterError as ClusterError
    from mltasks.errors import DataError as DataError
    from mltasks.errors import Error as Error
    from mltasks.errors import TaskDataWarning as TaskDataWarning
    from mltasks.errors import UsageError as UsageError
    from mltasks.errors import WriteError as WriteError
    from mltasks.lookup import get as get
    from mltasks.parquet import write_parquet as write_parquet
    from mltasks.present.page import report as report
    from mltasks.reports.durations import durations as durations
    from mltasks.reports.failures import failures as failures
    from mltasks.reports.workers import workers as workers
    from mltasks.sources import load as load
    from mltasks.sources import scan as scan
    from mltasks.store import Store as Store
    from mltasks.streaming import fetch as fetch
    from mltasks.unfold import by_node as by_node
    from mltasks.unfold import parse_json as parse_json

__version__ = "0.1.0"

# Public name -> where it lives. A name is imported when it is first used: `mltasks --help` needs no pandas.
_PLACES = {
    "Access": "access",
    "Cluster": "cluster",
    "ClusterError": "errors",
    "Credentials": "credentials",
    "DataError": "errors",
    "Error": "errors",
    "Store": "store",
    "TaskDataWarning": "errors",
    "UsageError": "errors",
    "WriteError": "errors",
    "by_node": "unfold",
    "durations": "reports.durations",
    "failures": "reports.failures",
    "fetch": "streaming",
    "get": "lookup",
    "load": "sources",
    "parse_json": "unfold",
    "report": "present.page",
    "scan": "sources",
    "workers": "reports.workers",
    "write_parquet": "parquet",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
