"""System calls of a running process: which ones touch a folder, and one of them refused, or the last of its life."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CALLS = "trace=%file,%desc"
PATHS = re.compile(r'[<"](STORE[^>"]*)[>"]')
NUMBER = re.compile("[0-9a-f]{16,}|[0-9]+")
BEGUN = re.compile(r"^(\d+) +(\w+)\((.*)", re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """The nth call of its name in a thread of the process, and its arguments, as strace prints them."""

    name: str
    n: int
    arguments: str

    def failing(self, error: str) -> str:
        """What makes it fail."""
        return f"inject={self.name}:error={error}:when={self.n}"

    @property
    def deadly(self) -> str:
        """What kills the process in place of it."""
        return f"inject={self.name}:signal=SIGKILL:when={self.n}"

    @property
    def kind(self) -> tuple[str, ...]:
        """Its name, what it opens a file for, and the paths, whatever numbers and hashes are in them."""
        paths = (NUMBER.sub("N", path) for path in PATHS.findall(self.arguments))
        return self.name, *paths, *re.findall("O_[A-Z_|]+", self.arguments)

    def __str__(self) -> str:
        return f"{self.name} number {self.n} ({self.arguments})"


def missing() -> str | None:
    """Why it cannot be used on this machine; None if it can."""
    if platform.machine() != "x86_64":
        return "the calls of other machines have other names than those that the test knows"
    if shutil.which("strace") is None:
        return "strace is not installed (a Debian package)"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"strace does not work here: {tried.stderr.strip()}"


@contextmanager
def attached(pid: int, log: Path, *expressions: str) -> Iterator[None]:
    """Trace a process and its threads from now on until it ends; what it calls is in the log after the block."""
    options = [option for expression in expressions for option in ("-e", expression)]
    command = ["strace", "-f", "-y", "-s", "0", "-o", str(log), *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        try:
            assert "attached" in said, said
            yield
        finally:
            strace.communicate(timeout=60)


def calls(log: Path, folder: Path) -> list[Call]:
    """Return the calls of a log that name something in the folder, or a file that is open there."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Call] = {}
    for thread, name, arguments in BEGUN.findall(log.read_text("utf-8")):
        counts[thread, name] += 1
        if str(folder) in arguments:
            call = Call(name, counts[thread, name], arguments.replace(str(folder), "STORE"))
            found.setdefault((call.name, call.n), call)
    return list(found.values())


def first_of_each_kind(calls: list[Call]) -> list[Call]:
    """Return the first call of each kind, in their order: the others prove nothing more."""
    return [*{call.kind: call for call in reversed(calls)}.values()][::-1]
