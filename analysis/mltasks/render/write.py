"""A report to where it is wanted: a format by name or by the file's suffix, to stdout or to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mltasks import progress
from mltasks.exceptions import UsageError, WriteError
from mltasks.tasks.plural import count_of

if TYPE_CHECKING:
    from mltasks.render.view import View

STDOUT = "-"
PICTURES = ("png", "svg")


@dataclass(frozen=True)
class Format:
    """A format of a report: the file's suffix, and where its function lives, imported when it is needed.

    The function takes a View and returns text; of a binary format it takes a path beside and writes the file.
    """

    suffix: str
    module: str
    function: str
    binary: bool = False

    def render(self) -> Callable[..., str]:
        """Return the function."""
        function: Callable[..., str] = getattr(import_module(f"mltasks.render.{self.module}"), self.function)
        return function


FORMATS = {
    "table": Format(".txt", "terminal", "render"),
    "csv": Format(".csv", "csv", "to_csv"),
    "json": Format(".json", "json", "to_json"),
    "markdown": Format(".md", "markdown", "to_markdown"),
    "parquet": Format(".parquet", "parquet", "to_parquet", binary=True),
}
RECORD = Format("", "terminal_record", "render")  # of single tasks, in a terminal
PAGES = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}  # suffix -> format of a page
BY_SUFFIX = {form.suffix: name for name, form in FORMATS.items()}


def format_of(name: str | None, path: str | None) -> str:
    """Return the format; raises UsageError where neither the name nor the file's suffix says one that can be."""
    reject_folder(path)
    if path is None or (path == STDOUT and name is None):
        if name is not None and FORMATS[name].binary:
            raise UsageError(f"--format {name}: not for a terminal; name a file with -o, such as -o report.{name}")
        return name or "table"
    if name is not None:
        return name
    if path in FORMATS:
        raise UsageError(f"-o {path}: -o names a file; did you mean --format {path}?")
    suffix = Path(path).suffix.lower()
    if suffix not in BY_SUFFIX:
        raise UsageError(f"-o {path}: no format of this suffix; there are {', '.join(BY_SUFFIX)}, or say --format")
    return BY_SUFFIX[suffix]


def page_format(path: str, refresh: int | None = None) -> str:
    """Return the format of a page by the file's suffix; raises UsageError where there is none, or none to refresh."""
    reject_folder(path)
    form = "markdown" if path == STDOUT else PAGES.get(Path(path).suffix.lower())
    if refresh is not None and (form != "html" or refresh < 1):
        raise UsageError(f"refresh {refresh} of {path}: a browser reads a .html page again after 1 second or more")
    if form is None:
        raise UsageError(f"-o {path}: the page comes as report.html, report.md or report.json; write one of these")
    return form


def reject_folder(path: str | None) -> None:
    """Raise UsageError where `-o` is empty or names a folder, of which no format can be read."""
    if path == "":
        raise UsageError("-o: the name is empty; name a file, or leave -o out")
    if path is not None and path != STDOUT:
        from mltasks.object_storage import output

        if output.is_folder(path):
            raise UsageError(f"-o {path}: is a folder; name a file in it")


def check_output(path: str | None, force: bool) -> None:
    """Raise UsageError where nothing may be written to `-o`, before any work is done."""
    if path is not None and path != STDOUT:
        from mltasks.object_storage import output  # here, as in `write_report`: a report on a terminal needs none

        output.check_writable(path, force)


def picture(path: str) -> str:
    """Return the kind of a picture by the file's suffix; raises UsageError where there is none of it."""
    if not path:
        raise UsageError("--plot: the name is empty; name a file such as figure.svg, or leave --plot out")
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in PICTURES:
        raise UsageError(f"--plot {path}: no picture of this suffix; there are .png and .svg")
    return kind


def write_report(view: View, kind: str, path: str | None, *, wide: bool = False, force: bool = False) -> None:
    """Write a report in a format to a file, or to stdout where `path` is None or a dash."""
    what = f"{kind} of {count_of(len(view.frame), 'row')}"
    if path is None or path == STDOUT:
        with progress.status_line(what):  # and not while it is written: the terminal may be the same
            text = text_of(view, kind, wide=wide, colour=is_coloured())
        write(text)
        return
    from mltasks.object_storage import output

    with progress.status_line(f"{path}, {what}"), output.atomic_path(path, force) as part:
        if kind in FORMATS and FORMATS[kind].binary:
            FORMATS[kind].render()(view, part)
        else:
            part.write_text(text_of(view, kind, wide=wide, saved=True), encoding="utf-8")


def is_coloured() -> bool:
    """Tell whether stdout is a terminal whose user wants colours (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and is_terminal()


def is_terminal() -> bool:
    """Tell whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def write(text: str) -> None:
    """Write a result to stdout; raises WriteError where it takes no more."""
    if sys.stdout is None:  # the shell has closed it: >&-
        raise WriteError("stdout: is closed; write a file with -o")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has seen enough
        raise
    except OSError as error:
        raise WriteError(f"stdout: cannot be written: {error.strerror or error}; write a file with -o") from error


def text_of(view: View, kind: str, *, wide: bool = False, colour: bool = False, saved: bool = False) -> str:
    """Return a report in one of the formats that are text; `saved`: it is read later, from a file."""
    if kind == "record":
        return RECORD.render()(view, colour=colour)
    render = FORMATS[kind].render()
    return render(view, wide=wide, colour=colour, saved=saved) if kind == "table" else render(view)
