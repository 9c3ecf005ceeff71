"""The engines that read files and stores, by name; apart from `reader`, since errors of usage import none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mltasks.exceptions import UsageError

LOCAL = "duckdb"
READERS: Mapping[str, str] = MappingProxyType({LOCAL: "on this machine", "spark": "where Spark runs"})


def check_engine(name: str) -> None:
    """Raise UsageError where there is no engine of this name."""
    if name not in READERS:
        there = ", ".join(f"{each} ({place})" for each, place in READERS.items())
        raise UsageError(f"engine: there is no {name!r}; there are {there}")
