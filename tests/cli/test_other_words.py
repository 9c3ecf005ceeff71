"""Words of other tools, and near ones, at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import Command


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("failures", "demo", "--last", "10m"), ("failures", "demo", "--since", "10m")),
        (("failures", "demo", "--limit", "2"), ("failures", "demo", "--top", "2")),
        (("list", "demo", "-n", "2"), ("list", "demo", "--top", "2")),
        (("failures", "demo", "--json"), ("failures", "demo", "--format", "json")),
        (("failures", "demo", "--csv"), ("failures", "demo", "--format", "csv")),
        (("help", "durations"), ("durations", "--help")),
        (("help",), ("--help",)),
        (("-V",), ("--version",)),
        (("failures", "demo", "--by", "node"), ("failures", "demo", "--by", "worker_node")),
        (("workers", "demo", "--by", "node_name"), ("workers", "demo", "--by", "worker_node")),
    ],
)
def test_words_of_other_tools_do_what_they_say(
    mltasks: Command, theirs: tuple[str, ...], ours: tuple[str, ...]
) -> None:
    found = mltasks(*theirs)
    assert (found.code, found.err) == (0, "")
    assert found.out == mltasks(*ours).out


def test_what_comes_last_counts(mltasks: Command) -> None:
    assert json.loads(mltasks("failures", "demo", "--csv", "--json").out)["report"] == "failures"


def test_help_does_not_show_them(mltasks: Command) -> None:
    shown = mltasks("failures", "--help").out
    assert not [word for word in ("--last", "--limit", "--json") if word in shown]


@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("--group-by", "--by"),
        ("--freq", "--every"),
        ("--start", "--since"),
        ("--status", "--state"),
        ("--order-by", "--sort"),
        ("--snce", "--since"),
    ],
)
def test_an_option_of_another_tool_is_answered_with_ours(mltasks: Command, option: str, near: str) -> None:
    found = mltasks("failures", "demo", option, "x")
    assert found.code == 2
    assert f"No such option '{option}'. Did you mean '{near}'?" in found.err


@pytest.mark.parametrize("word", ["prod-ue", "PROD-EU", "prodeu"])
@pytest.mark.parametrize("command", [("failures",), ("doctor",), ("sync", "store"), ("get", "id")])
def test_a_misspelt_cluster_is_answered_with_the_configured_one(
    mltasks: Command, tmp_path: Path, word: str, command: tuple[str, ...]
) -> None:
    file = tmp_path / "clusters.toml"
    file.write_text('[clusters.prod-eu]\nurl = "https://127.0.0.1:1"\n', encoding="utf-8")
    name, *more = command
    found = mltasks(name, word, *more, "--config", str(file))
    assert found.code == 2
    assert "did you mean prod-eu?" in found.err


@pytest.mark.parametrize("command", ["failures", "list", "report"])
def test_a_query_on_a_file_names_the_filters_to_use_instead(mltasks: Command, command: str) -> None:
    found = mltasks(command, "demo", "--query", '{"match_all": {}}')
    assert found.code == 2
    assert "a query is for clusters; on a file use the filters, such as function_name (--function-name)" in found.err
