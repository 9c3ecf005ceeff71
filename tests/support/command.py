"""The command line, run in this process."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from mltasks.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What a command gave: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a report in JSON."""
        found: list[dict[str, Any]] = json.loads(self.out)["rows"]
        return found


class Command:
    """Runs `mltasks` with some arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = main(list(arguments))
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)

    def fails(self, code: int, *arguments: str) -> str:
        """Return the one line that a command fails with; nothing else was said."""
        ran = self(*arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert ran.err.startswith("mltasks: ")
        assert ran.err.endswith("\n")
        assert len(ran.err.splitlines()) == 1
        assert "bug of mltasks" not in ran.err
        return ran.err.removeprefix("mltasks: ").rstrip("\n")
