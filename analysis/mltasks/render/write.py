"""A report to where it is wanted: a format by name or by the file's suffix, to stdout or to a file."""

from __future__ import annotations

import sys
from pathlib import Path

from mltasks import atomic_write
from mltasks.exceptions import UsageError, WriteError
from mltasks.render import machine
from mltasks.render.view import View

FORMATS = ("table", "csv", "json", "markdown", "parquet")
BY_SUFFIX = {".txt": "table", ".csv": "csv", ".json": "json", ".md": "markdown", ".parquet": "parquet"}
PICTURES = ("png", "svg")


def format_of(name: str | None, path: str | None) -> str:
    """Return the format; raises UsageError where neither the name nor the file's suffix says one that can be."""
    if path is None:
        if name == "parquet":
            raise UsageError("--format parquet: not for a terminal; name a file with -o, such as -o report.parquet")
        return name or "table"
    if name is not None:
        return name
    if path in FORMATS:
        raise UsageError(f"-o {path}: -o names a file; did you mean --format {path}?")
    found = BY_SUFFIX.get(Path(path).suffix.lower())
    if found is None:
        raise UsageError(f"-o {path}: no format of this suffix; there are {', '.join(BY_SUFFIX)}, or say --format")
    return found


def picture(path: str) -> str:
    """Return the kind of a picture by the file's suffix; raises UsageError where there is none of it."""
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in PICTURES:
        raise UsageError(f"--plot {path}: no picture of this suffix; there are .png and .svg")
    return kind


def write_report(view: View, kind: str, path: str | None, *, wide: bool = False, force: bool = False) -> None:
    """Write a report in a format to a file, or to stdout where `path` is None."""
    if path is None:
        write(text_of(view, kind, wide=wide, colour=sys.stdout.isatty()))
        return
    with atomic_write.atomic_path(path, force) as part:
        if kind == "parquet":
            machine.to_parquet(view, part)
        else:
            part.write_text(text_of(view, kind, wide=wide), encoding="utf-8")


def write(text: str) -> None:
    """Write a result to stdout; raises WriteError where it takes no more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has seen enough
        raise
    except OSError as error:
        raise WriteError(f"stdout: cannot be written: {error.strerror or error}; write a file with -o") from error


def text_of(view: View, kind: str, *, wide: bool = False, colour: bool = False) -> str:
    """Return a report in one of the formats that are text."""
    if kind == "csv":
        return machine.to_csv(view)
    if kind == "json":
        return machine.to_json(view)
    if kind == "markdown":
        return machine.to_markdown(view)
    from mltasks.render import terminal, terminal_record

    return (
        terminal_record.render(view, colour=colour)
        if kind == "record"
        else terminal.render(view, wide=wide, colour=colour)
    )
