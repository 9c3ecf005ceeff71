"""A report to where it is wanted: a format by name or by the file's suffix, to stdout or to a file."""

from __future__ import annotations

import sys
from pathlib import Path

from mltasks import files
from mltasks.errors import UsageError
from mltasks.present import machine, terminal
from mltasks.present.view import View

FORMATS = ("table", "csv", "json", "markdown", "parquet")
BY_SUFFIX = {".txt": "table", ".csv": "csv", ".json": "json", ".md": "markdown", ".parquet": "parquet"}


def format_of(name: str | None, path: str | None) -> str:
    """Return the format; raises UsageError where neither the name nor the file's suffix says one."""
    if path is None or name is not None:
        return name or "table"
    if path in FORMATS:
        raise UsageError(f"-o {path}: -o names a file; did you mean --format {path}?")
    found = BY_SUFFIX.get(Path(path).suffix.lower())
    if found is None:
        raise UsageError(f"-o {path}: no format of this suffix; there are {', '.join(BY_SUFFIX)}, or say --format")
    return found


def show(view: View, name: str | None, path: str | None, *, wide: bool = False, force: bool = False) -> None:
    """Write a report to a file, or to stdout where `path` is None."""
    kind = format_of(name, path)
    if kind == "parquet":
        if path is None:
            raise UsageError("--format parquet: give a file for it with -o")
        with files.replacing(path, force) as part:
            machine.to_parquet(view, part)
        return
    if path is None:
        sys.stdout.write(text_of(view, kind, wide=wide, colour=sys.stdout.isatty()))
        return
    with files.replacing(path, force) as part:
        part.write_text(text_of(view, kind, wide=wide), encoding="utf-8")


def text_of(view: View, kind: str, *, wide: bool = False, colour: bool = False) -> str:
    """Return a report in one of the formats that are text."""
    if kind == "table":
        return terminal.render(view, wide=wide, colour=colour)
    if kind == "csv":
        return machine.to_csv(view)
    return machine.to_json(view) if kind == "json" else machine.to_markdown(view)
