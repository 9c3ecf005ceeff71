from __future__ import annotations

import os

import pytest

from support.command import Command


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MLTASKS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def mltasks(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)
