"""A report of a SOURCE: opened as `scan` does, then reported on as any other tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from mltasks.opensearch.access import Access, Query
from mltasks.opensearch.client import Cluster
from mltasks.sources import load
from mltasks.store.store import Store
from mltasks.tasks import filter_declarations, filter_options, times

SOURCES = (str, Path, Store, Cluster, dict, list, tuple)
MOMENTS = ("since", "until")


def open_source_first(
    function: Callable[..., Any], own: Collection[str], *, looks_back: bool = False
) -> Callable[..., Any]:
    """Return a report's function that takes a SOURCE, too, with `access` and `query` for clusters.

    `own` are keywords of the report that have the name of a filter and are none. `looks_back`: the report compares with
    as long a time before `since`, which is read with the rest.
    """
    names = [name for name in (*filter_declarations.HELP, "tz") if name not in own]

    @functools.wraps(function)
    def report(tasks: Any, *arguments: Any, access: Access | None = None, query: Query = None, **options: Any) -> Any:
        if isinstance(tasks, SOURCES) or access is not None or query is not None:
            chosen = {name: options.pop(name) for name in names if name in options}
            options |= _later(chosen, options.get("as_of"))
            sooner: Any = {name: value for name, value in chosen.items() if name not in options or name == "tz"}
            if looks_back:
                options |= {name: chosen[name] for name in MOMENTS if name in chosen}
                sooner = filter_options.with_time_before({**sooner, **{n: chosen[n] for n in MOMENTS if n in chosen}})
            tasks = load.scan(tasks, access, query=query, **sooner)
        return function(tasks, *arguments, **options)

    vars(report)["__signature__"] = _with_access(function)
    return report


def _later(chosen: dict[str, Any], as_of: Any) -> dict[str, Any]:
    """Return what the report itself has to know: the zone, and the times that count from an `as_of` of the call."""
    later = {name: chosen[name] for name in MOMENTS if as_of is not None and times.is_relative(chosen.get(name))}
    return later | ({"tz": chosen["tz"]} if "tz" in chosen else {})


def _with_access(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in (("access", "Access | None"), ("query", "Query"))
    ]
    place = len(parameters) - (parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    return signature.replace(parameters=[*parameters[:place], *added, *parameters[place:]])
