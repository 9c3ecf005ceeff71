"""How far a long reading is, and that a long report is at work: on a terminal and in a notebook, silence otherwise."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

ProgressCallback = Callable[[int, int], None]
FIRST_S = 0.4  # after which a terminal hears that something is at work, and how often it hears that again
CLEAR = "\r\x1b[K"  # erases a line of a terminal
_quiet = threading.Event()  # set while there is a bar, beside which no line is written
_line = threading.Lock()  # held while one is written


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
    with _line:
        _quiet.set()
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            row = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(row, completed=done, total=total)
    finally:
        _quiet.clear()


@contextmanager
def status_line(what: str, every: float = FIRST_S) -> Iterator[None]:
    """Say on a terminal what is worked on, and for how long, until it is done; nothing of what is done at once."""
    stream = sys.stderr
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    end = threading.Event()
    text = "".join(letter if letter.isprintable() else "?" for letter in what)
    text = getattr(stream, "mask", str)(text)  # as the stream itself masks what is written to it
    with _open_terminal(stream) as terminal:
        thread = threading.Thread(target=_repeat, args=(text, terminal, end, every), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


@contextmanager
def _open_terminal(stream: TextIO) -> Iterator[TextIO]:
    """Hand out the terminal that a stream leads to now: it may lead elsewhere for a while, as when Java starts."""
    try:
        number = os.dup(stream.fileno())
    except (OSError, ValueError):  # it has no file descriptor
        yield stream
        return
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as terminal:
        yield terminal


def _repeat(what: str, stream: TextIO, end: threading.Event, every: float) -> None:
    """Write a line until the end, and again what erases it; the cursor stays where other output then begins."""
    begin, is_shown = time.monotonic(), False
    while not end.wait(every):
        with _line:
            if _quiet.is_set():
                continue
            spent = f" ... {time.monotonic() - begin:.0f} s"
            room = shutil.get_terminal_size().columns - len(spent) - 1
            stream.write(f"{CLEAR}{what[:room]}{spent}\r")
            stream.flush()
            is_shown = True
    if is_shown:
        stream.write(CLEAR)
        stream.flush()


def _is_watched() -> bool:
    if "ipykernel" in sys.modules:
        return importlib.util.find_spec("ipywidgets") is not None  # what rich needs there
    return sys.stderr.isatty()
