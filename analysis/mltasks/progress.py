"""How far a long reading is: a bar on a terminal and in a notebook, silence otherwise."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ProgressCallback = Callable[[int, int], None]


@contextmanager
def progress_bar(what: str, wanted: bool | None = None) -> Iterator[ProgressCallback]:
    """Hand out a function that takes (done, total). `wanted` None: only where somebody looks."""
    if not (_is_watched() if wanted is None else wanted):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    label = TextColumn("{task.description}", markup=False)  # the brackets of an IPv6 address are no markup
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(row, completed=done, total=total)


def _is_watched() -> bool:
    if "ipykernel" in sys.modules:
        return importlib.util.find_spec("ipywidgets") is not None  # what rich needs there
    return sys.stderr.isatty()
