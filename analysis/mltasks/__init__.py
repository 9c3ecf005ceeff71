"""The analysis toolkit for OpenSearch ML Commons tasks: load all of them, report on them, export them.

The names and signatures for editors and type checkers are in `__init__.pyi`, which `make format` writes.
"""

from __future__ import annotations

from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from mltasks.reports.registry import REPORTS

__version__ = "0.1.0"

# Public name -> where it lives. A name is imported when it is first used: `mltasks --help` needs no pandas.
_PLACES = {
    "Access": "opensearch.access",
    "Cluster": "opensearch.client",
    "ClusterError": "exceptions",
    "Context": "tasks.metadata",
    "Credentials": "opensearch.credentials",
    "DataError": "exceptions",
    "Dataset": "engines.dataset",
    "Error": "exceptions",
    "FilterOptions": "tasks.filter_options",
    "Page": "render.page",
    "PublishResult": "store.publish",
    "ShownReport": "render.show",
    "StorageError": "exceptions",
    "Store": "store.store",
    "SyncResult": "store.sync_result",
    "TaskDataWarning": "exceptions",
    "UsageError": "exceptions",
    "WriteError": "exceptions",
    "by_node": "engines.reshape",
    "fetch": "sources.fetch",
    "get": "sources.get",
    "load": "sources.load",
    "parse_json": "engines.reshape",
    "publish": "sources.publish",
    "report": "render.page",
    "scan": "sources.load",
    "show": "render.show",
    "write_parquet": "sources.parquet",
    **{name: f"reports.{name}" for name in REPORTS},
}
# What has names of its own -> where they live, and the report that each is of.
_NAMESPACES = {
    "plot": (
        "render.plot.public",
        {
            "concurrency": "timeline",
            "durations": "durations",
            "errors": "errors",
            "failure_rate": "failures",
            "node_load": "timeline",
            "open_tasks": "unfinished",
        },
    )
}
__all__ = sorted([*_PLACES, *_NAMESPACES])


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        globals()[name] = namespace = _open_namespace(name, *_NAMESPACES[name])
        return namespace
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    if isinstance(value, FunctionType):
        from mltasks.sources.public import publish

        value = publish(name, value)
    globals()[name] = value
    return value


def _open_namespace(name: str, place: str, reports: dict[str, str]) -> ModuleType:
    from mltasks.sources.public import publish

    module = import_module(f"{__name__}.{place}")
    namespace = ModuleType(f"{__name__}.{name}", module.__doc__)
    for each, report in reports.items():
        function = publish(each, getattr(module, each), report)
        function.__module__ = namespace.__name__
        setattr(namespace, each, function)
    vars(namespace)["__all__"] = sorted(reports)
    return namespace


def __dir__() -> list[str]:
    return __all__
