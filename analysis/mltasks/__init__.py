"""The analysis toolkit for OpenSearch ML Commons tasks: load all of them, report on them, export them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mltasks.reports.registry import REPORTS

if TYPE_CHECKING:
    from mltasks.engines.reshape import by_node as by_node
    from mltasks.engines.reshape import parse_json as parse_json
    from mltasks.exceptions import ClusterError as ClusterError
    from mltasks.exceptions import DataError as DataError
    from mltasks.exceptions import Error as Error
    from mltasks.exceptions import TaskDataWarning as TaskDataWarning
    from mltasks.exceptions import UsageError as UsageError
    from mltasks.exceptions import WriteError as WriteError
    from mltasks.opensearch.access import Access as Access
    from mltasks.opensearch.client import Cluster as Cluster
    from mltasks.opensearch.credentials import Credentials as Credentials
    from mltasks.render.page import report as report
    from mltasks.render.show import show as show
    from mltasks.reports.compare import compare as compare
    from mltasks.reports.durations import durations as durations
    from mltasks.reports.errors import errors as errors
    from mltasks.reports.failures import failures as failures
    from mltasks.reports.models import models as models
    from mltasks.reports.unfinished import unfinished as unfinished
    from mltasks.reports.workers import workers as workers
    from mltasks.sources.fetch import fetch as fetch
    from mltasks.sources.get import get as get
    from mltasks.sources.load import load as load
    from mltasks.sources.load import scan as scan
    from mltasks.sources.parquet import write_parquet as write_parquet
    from mltasks.store.store import Store as Store

__version__ = "0.1.0"

# Public name -> where it lives. A name is imported when it is first used: `mltasks --help` needs no pandas.
_PLACES = {
    "Access": "opensearch.access",
    "Cluster": "opensearch.client",
    "ClusterError": "exceptions",
    "Credentials": "opensearch.credentials",
    "DataError": "exceptions",
    "Error": "exceptions",
    "Store": "store.store",
    "TaskDataWarning": "exceptions",
    "UsageError": "exceptions",
    "WriteError": "exceptions",
    "by_node": "engines.reshape",
    "fetch": "sources.fetch",
    "get": "sources.get",
    "load": "sources.load",
    "parse_json": "engines.reshape",
    "report": "render.page",
    "show": "render.show",
    "scan": "sources.load",
    "write_parquet": "sources.parquet",
    **{name: f"reports.{name}" for name in REPORTS},
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
