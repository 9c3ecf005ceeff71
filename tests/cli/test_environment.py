from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import Command


@pytest.mark.parametrize(
    ("name", "value", "flags"),
    [
        ("MLTASKS_BY", "state,outcome", ("--by", "state,outcome")),
        ("MLTASKS_TASK_TYPE", "TRAINING", ("--task-type", "TRAINING")),
        ("MLTASKS_ERROR", "no such index", ("--error", "no such index")),
        ("MLTASKS_SINCE", "20m", ("--since", "20m")),
        ("MLTASKS_SORT", "failed", ("--sort", "failed")),
        ("MLTASKS_TOP", "3", ("--top", "3")),
        ("MLTASKS_FORMAT", "csv", ("--format", "csv")),
        ("MLTASKS_EVERY", "1h", ("--every", "1h")),
    ],
)
def test_an_option_can_be_set_by_the_environment(
    mltasks: Command, name: str, value: str, flags: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, without = mltasks("durations", "demo", *flags), mltasks("durations", "demo")
    monkeypatch.setenv(name, value)
    ran = mltasks("durations", "demo")
    assert (ran.code, ran.out) == (0, expected.out)
    assert ran.out != without.out


def test_the_source_can_be_set_by_the_environment(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_SOURCE", "demo")
    for name in ("durations", "list"):
        assert mltasks(name).out == mltasks(name, "demo").out


def test_a_flag_wins_over_the_environment(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_FUNCTION_NAME", "KMEANS")
    monkeypatch.setenv("MLTASKS_SOURCE", "nowhere.parquet")
    found = json.loads(mltasks("failures", "demo", "--function-name", "AGENT", "--format", "json").out)
    assert (found["tasks"], found["filters"]) == (29, {"function_name": ["agent"]})


def test_a_bad_value_in_the_environment_is_one_line(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_TOP", "many")
    line = mltasks.fails(2, "failures", "demo")
    assert "'--top': 'many'" in line
    assert "it is set by MLTASKS_TOP in the environment (see mltasks failures --help)" in line
    assert "environment" not in mltasks.fails(2, "failures", "demo", "--top", "many")


def test_debug_can_be_set_by_the_environment(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_DEBUG", "1")
    assert mltasks("failures", "demo", "--by", "x").err.startswith("Traceback")


def test_a_password_without_a_user_stays_unused_for_files(
    mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLTASKS_PASSWORD", "hunter2")
    assert mltasks("fetch", "demo", "-o", f"{tmp_path / 't.parquet'}").code == 0
    assert b"hunter2" not in (tmp_path / "t.parquet").read_bytes()
