from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from support.command import Command

FAILED = "uHCeD6IBiXUMJeGlU9P0"  # a training of the demo
IDS = ("-id00000000000000001", "_id00000000000000002", "id000000000000000003", "task-4")


@pytest.fixture
def hits(tmp_path: Path) -> str:
    path = tmp_path / "hits.ndjson"
    common = {"task_type": "TRAINING", "state": "COMPLETED", "last_update_time": 1764021600500}
    lines = [
        json.dumps({"_id": task_id, "_source": {**common, "create_time": 1764021600000 + n}}) + "\n"
        for n, task_id in enumerate(IDS)
    ]
    path.write_text("".join(lines))
    return str(path)


def test_list_shows_the_newest_20_in_a_terminal_and_says_so(mltasks: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = mltasks("list", "demo", "--outcome", "succeeded").out.splitlines()
    assert lines[-1] == "- top 20 of 358 rows; all: --top 0"
    assert lines[3].split() == ["7nCgD6IBiXUMJeGljdMl", "DEPLOY_MODEL", "REMOTE", "COMPLETED", "22:15:09", "777ms"]
    assert len(lines) == 2 + 1 + 20 + 1


def test_a_list_shows_below_each_failed_task_why(mltasks: Command) -> None:
    lines = mltasks("list", "demo", "--outcome", "failed", "--top", "1").out.splitlines()
    assert lines[3].split()[:4] == ["uHCeD6IBiXUMJeGlU9P0", "TRAINING", "LOGISTIC_REGRESSION", "FAILED"]
    assert lines[4] == "  [.plugins-ml-model][0] primary shard is not active Timeout: [1m]"


@pytest.mark.parametrize("arguments", [(), ("--top", "0"), ("--format", "csv")])
def test_list_holds_every_task_where_it_is_asked_to(mltasks: Command, arguments: tuple[str, ...]) -> None:
    out = mltasks("list", "demo", *arguments, "--columns", "task_id").out
    assert len([line for line in out.splitlines() if len(line) in (20, 21) and " " not in line]) == 552


def test_columns_are_those_that_are_named_in_their_order_within_the_terminal(mltasks: Command) -> None:
    ran = mltasks("list", "demo", "--outcome", "failed", "--columns", "reason, task_id", "--top", "30")
    assert max(map(len, ran.out.splitlines())) <= 80
    header = next(line for line in ran.out.splitlines() if line.startswith("reason"))
    assert header.split() == ["reason", "task", "id"]


def test_a_list_is_sorted_by_a_column_that_it_does_not_show(mltasks: Command) -> None:
    out = mltasks("list", "demo", "--columns", "function_name", "--sort", "duration_s", "--top", "1", "--format", "csv")
    assert out.out == "function_name\nLOGISTIC_REGRESSION\n"
    shown = mltasks("list", "demo", "--sort", "seq_no:asc", "--top", "1").out
    assert shown.splitlines()[-1] == "- top 1 of 552 rows, by seq_no; all: --top 0"


def test_get_shows_one_record_readably(mltasks: Command) -> None:
    ran = mltasks("get", "demo", FAILED)
    assert (ran.code, ran.err) == (0, "")
    assert " ".join(ran.out.splitlines()[:2]).startswith(
        f"1 task of ml-fixture, created 2026-11-24 22:12 UTC (task_id {FAILED})"
    )
    lines = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    assert ["create_time", "2026-11-24T22:12:44.148Z"] in lines
    assert ["duration_s", "2m13s"] in lines
    assert ["state", "FAILED"] in lines
    assert max(map(len, ran.out.splitlines())) <= 80


def test_get_gives_every_format_with_all_columns(mltasks: Command, tmp_path: Path) -> None:
    found = json.loads(mltasks("get", "demo", FAILED, "--format", "json").out)
    assert (found["report"], found["tasks"], found["filters"]) == ("get", 1, {"task_id": [FAILED]})
    assert (found["rows"][0]["task_id"], found["rows"][0]["seq_no"]) == (FAILED, 1363)
    header, row = csv.reader(io.StringIO(mltasks("get", "demo", FAILED, "--format", "csv").out))
    assert row[header.index("state")] == "FAILED"
    assert FAILED in mltasks("get", "demo", FAILED, "--format", "markdown").out
    assert mltasks("get", "demo", FAILED, "-o", f"{tmp_path / 'one.parquet'}").code == 0
    assert pd.read_parquet(tmp_path / "one.parquet")["task_id"].tolist() == [FAILED]
    assert mltasks("get", "demo", FAILED, "-o", f"{tmp_path / 'one.txt'}").code == 0
    assert (tmp_path / "one.txt").read_text(encoding="utf-8") == mltasks("get", "demo", FAILED).out


@pytest.mark.parametrize("wanted", [IDS, IDS[::-1], IDS[:1], (IDS[2], IDS[0])])
def test_ids_that_start_with_a_dash_need_nothing_special_and_keep_their_order(
    mltasks: Command, hits: str, wanted: tuple[str, ...]
) -> None:
    ran = mltasks("get", hits, *wanted, "--format", "json")
    assert [row["task_id"] for row in ran.rows] == list(wanted)


def test_two_dashes_before_ids_are_fine_too(mltasks: Command, hits: str) -> None:
    assert mltasks("get", "--format", "json", "--", hits, IDS[0]).rows[0]["task_id"] == IDS[0]


@pytest.mark.parametrize("wanted", [IDS[:1], IDS[3:], IDS])
def test_the_source_comes_from_the_environment_where_only_ids_are_given(
    mltasks: Command, hits: str, wanted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLTASKS_SOURCE", hits)
    assert [row["task_id"] for row in mltasks("get", *wanted, "--format", "json").rows] == list(wanted)
    assert mltasks("get", "demo", FAILED, "--format", "json").rows[0]["task_id"] == FAILED


def test_a_configured_cluster_is_a_source_and_no_id(
    mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mltasks").mkdir()
    (tmp_path / "mltasks" / "config.toml").write_text('[clusters.prod]\nurl = "http://127.0.0.1:1"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MLTASKS_SOURCE", "demo")
    assert "http://127.0.0.1:1: nothing answers there" in mltasks.fails(3, "get", "prod", FAILED)


def test_ids_are_neutralised_in_csv(mltasks: Command, hits: str) -> None:
    ran = mltasks("list", hits, "--columns", "task_id", "--format", "csv")
    assert ran.out.splitlines() == ["task_id", "task-4", "id000000000000000003", "_id00000000000000002", f"'{IDS[0]}"]
