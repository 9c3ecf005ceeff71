"""The example data that comes with the package: tasks of a real cluster, and what was read beside them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec

from mltasks.tasks.metadata import Context


def tasks_file() -> Path:
    """Return the file with the hits."""
    return _find("tasks.ndjson.gz")


def context() -> Context:
    """Return what is known of the cluster."""
    return msgspec.json.decode(_find("context.json").read_bytes(), type=Context)


def _find(name: str) -> Path:
    """Return a file of the example data: in the package when installed, in `data/` in a checkout."""
    package = Path(str(resources.files("mltasks")))
    return next(path for path in (package / "data" / name, package.parents[1] / "data" / name) if path.exists())
