from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import Command

RATE = '[[rule]]\nname = "rate"\nmeasure = "failure_rate"\nby = []\nmax = {}\n'


def test_the_exit_code_is_1_where_a_rule_is_breached_and_0_where_all_hold(mltasks: Command, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    for limit, code in ((0.9, 0), (0.1, 1)):
        path.write_text(RATE.format(limit))
        ran = mltasks("check", "demo", "--rules", str(path), "--format", "json")
        assert (ran.code, json.loads(ran.out)["ok"]) == (code, code == 0)


def test_the_starter_file_is_written_once(mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mltasks("check", "--init").code == 0
    assert "rules.toml" in mltasks.fails(2, "check", "--init")
    assert mltasks("check", "--init", "--force").code == 0
    ran = mltasks("check", "demo", "-o", "check.xml", "--format", "junit")  # which is of 2026: its data is old
    assert (ran.code, ran.out) == (1, "")
    assert (tmp_path / "check.xml").read_text().startswith("<?xml")


def test_the_starter_file_goes_where_it_is_told(mltasks: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert mltasks("check", "--init", "-o", str(path)).code == 0
    shown = mltasks("check", "--init", "-o", "-")
    assert shown.out == path.read_text()
    assert shown.out.count("[[rule]]") == 6


def test_rules_that_are_not_there_are_said_before_anything_is_read(mltasks: Command) -> None:
    assert "cannot read nowhere.toml" in mltasks.fails(2, "check", "http://127.0.0.1:1", "--rules", "nowhere.toml")
