"""Keywords that a function does not have: which one was meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from mltasks.exceptions import KeywordError

MEANT = {
    "access": ("auth", "credentials", "login"),
    "as_of": ("asof", "at", "now"),
    "by": ("group", "group_by", "groupby", "key", "keys", "on"),
    "ca_certs": ("ca", "cacert", "cafile"),
    "cluster": ("clusters",),
    "columns": ("fields", "select"),
    "error": ("message", "reason"),
    "every": ("bucket", "freq", "frequency", "interval", "period", "resample"),
    "force": ("exist_ok", "overwrite", "replace"),
    "function_name": ("algorithm", "function", "functions"),
    "model": ("model_id", "model_name", "models"),
    "node": ("host", "node_id", "node_name", "nodes", "worker", "worker_node"),
    "outcome": ("outcomes", "result"),
    "output": ("out", "outfile", "save"),
    "password_file": ("pass", "password"),
    "path": ("file", "filename", "output"),
    "query": ("body", "dsl", "query_dsl"),
    "since": ("after", "begin", "from", "from_", "last", "start", "start_time", "time_from"),
    "sort": ("order", "order_by", "sort_by"),
    "source": ("host", "tasks", "url"),
    "state": ("states", "status"),
    "task_type": ("kind", "task_types", "type", "types"),
    "tasks": ("data", "df", "frame", "source"),
    "top": ("head", "limit", "n"),
    "tz": ("time_zone", "timezone", "tzinfo"),
    "until": ("before", "end", "end_time", "stop", "time_to", "to"),
}


def suggest(name: str, names: Iterable[str]) -> str | None:
    """Return the keyword that somebody meant who wrote `name`, of those there are; None where none is near."""
    names = list(names)
    plain = name.lower().lstrip("-").replace("-", "_")
    for keyword in names:
        if plain in MEANT.get(keyword, ()):
            return keyword
    return next(iter(difflib.get_close_matches(plain, names, 1)), None)


def reject_unknown(function: str, given: Iterable[str], names: Collection[str]) -> None:
    """Raise KeywordError, with the near keyword, for the first of the `given` ones that a function does not have."""
    for name in given:
        if name not in names:
            near = suggest(name, names)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(names)}"
            raise KeywordError(f"{function}: there is no keyword {name!r}; {hint}")
