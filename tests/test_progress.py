from __future__ import annotations

import io
import os
import pty
import sys
import threading
from pathlib import Path

import pytest

from mltasks import progress


class Terminal(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        length = super().write(text)
        self.written.set()
        return length


def shown(what: str, wanted: bool | None, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with progress.progress_bar(what, wanted) as report:
        report(5, 10)
    return stream.getvalue()


@pytest.mark.parametrize(("wanted", "stream"), [(None, io.StringIO()), (False, io.StringIO()), (False, Terminal())])
def test_there_is_silence_where_nobody_looks_or_wants_it(
    wanted: bool | None, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown("reading", wanted, monkeypatch, stream) == ""


@pytest.mark.parametrize("what", ["https://host:9200", "https://[fe80::1]:9200", "[bold]"])
def test_a_terminal_sees_what_is_read_and_how_far_it_is(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    said = shown(what, None, monkeypatch, Terminal())
    assert what in said
    assert "5/10" in said


def test_a_notebook_is_silent_without_the_package_that_shows_bars_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with progress.progress_bar("reading") as report:
        report(5, 10)
    assert isinstance(sys.stderr, Terminal)
    assert sys.stderr.getvalue() == ""


def test_a_terminal_hears_of_a_long_work_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.status_line("tasks\x1b.parquet", every=0.001):
        assert terminal.written.wait(60)
    first, *_, last = terminal.getvalue().split(progress.CLEAR)[1:]
    assert (first, last) == ("tasks?.parquet ... 0 s\r", "")


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO(), "xterm"), (Terminal(), "dumb"), (Terminal(), "xterm")])
def test_what_is_done_at_once_or_seen_by_nobody_is_not_spoken_of(
    stream: io.StringIO, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", term)
    with progress.status_line("tasks.parquet", every=60):
        pass
    assert stream.getvalue() == ""


def test_the_terminal_hears_of_it_while_its_stream_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, Path(os.devnull).open("w") as nowhere, os.fdopen(ours, "rb", 0) as terminal:
        monkeypatch.setattr(sys, "stderr", stream)
        with progress.status_line("start of spark", every=0.001):
            os.dup2(nowhere.fileno(), theirs)
            lines = 0
            while lines < 200:  # most of them are of the time when the stream leads nowhere
                lines += terminal.read(4096).count(b"start of spark")
    assert lines >= 200
