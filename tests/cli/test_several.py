"""Several sources in one call, and the doctor, as far as no cluster is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mltasks as library
from support.command import Command
from support.documents import hit
from support.stores import AS_OF, DAY, put
from support.stub_cluster import StubCluster

CLOSED = "http://127.0.0.1:1"


@pytest.fixture
def other(tmp_path: Path) -> str:
    path = tmp_path / "other.parquet"
    library.write_parquet(library.load("demo").assign(cluster="other"), path)
    return str(path)


def test_several_sources_are_one_report_in_which_the_cluster_is_a_key(mltasks: Command, other: str) -> None:
    rows = json.loads(mltasks("failures", "demo", other, "--by", "cluster", "--format", "json").out)["rows"]
    assert [(row["cluster"], row["tasks"]) for row in rows] == [("ml-fixture", 552), ("other", 552)]
    one = json.loads(mltasks("failures", "demo", other, "--cluster", "OTHER", "--format", "json").out)
    assert one["tasks"] == 552


def test_a_source_that_fails_says_its_line_and_the_others_are_reported(mltasks: Command) -> None:
    ran = mltasks("failures", "demo", CLOSED, "--format", "json")
    assert ran.code == 3
    assert json.loads(ran.out)["tasks"] == 552
    assert ran.err.startswith(f"mltasks: {CLOSED}: nothing answers there")
    assert ran.err.count("\n") == 1


def test_where_no_source_can_be_read_there_are_only_the_lines(mltasks: Command) -> None:
    ran = mltasks("report", CLOSED, "http://127.0.0.1:2")
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 2)


def test_all_are_the_configured_clusters(mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = f'[clusters.eu]\nurl = "{CLOSED}"\n[clusters.us]\nurl = "{CLOSED}"\nuser = "me"\npassword_env = "NOT_SET"\n'
    (tmp_path / "mltasks.toml").write_text(text, encoding="utf-8")
    ran = mltasks("failures", "--all")
    assert (ran.code, ran.out) == (3, "")
    note, first, second = ran.err.splitlines()
    assert note == f"mltasks: clusters have their names from {tmp_path / 'mltasks.toml'}"
    assert "nothing answers there" in first
    assert "[clusters.us]: password_env NOT_SET is not set" in second


def test_where_names_come_from_is_said_once_whatever_is_imported_meanwhile(tmp_path: Path) -> None:
    with StubCluster({"task-1": 1}) as cluster:
        text = f'[clusters.eu]\nurl = "{cluster.url}"\n[clusters.us]\nurl = "{CLOSED}"\n'
        (tmp_path / "mltasks.toml").write_text(text, encoding="utf-8")
        call = [sys.executable, "-m", "mltasks", "failures", "--all"]
        ran = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    note, failed = ran.stderr.splitlines()
    assert note == f"mltasks: clusters have their names from {tmp_path / 'mltasks.toml'}"
    assert failed.startswith(f"mltasks: {CLOSED}: nothing answers there")


def test_the_doctor_says_what_is_wrong_and_what_to_do(mltasks: Command) -> None:
    ran = mltasks("doctor", CLOSED)
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert lines[0] == "127.0.0.1:1"
    assert lines[1].startswith("!!  tasks          nothing answers there")
    assert lines[-1].split() == ["->", "check", "host", "and", "port"]


def test_an_error_of_a_connection_points_to_the_doctor(mltasks: Command) -> None:
    assert mltasks.fails(3, "failures", CLOSED).endswith("(mltasks doctor looks closer)")


def test_redacted_output_holds_no_address(mltasks: Command) -> None:
    plain = mltasks("list", "demo", "--error", "not connected", "--format", "csv").out
    masked = mltasks("list", "demo", "--error", "not connected", "--format", "csv", "--redact").out
    assert "127.0.0.1:9312" in plain
    assert "127.0.0.1" not in masked
    assert "<host>" in masked


def test_a_store_comes_before_a_configured_cluster_of_that_name(
    mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mltasks.toml").write_text(f'[clusters.prod]\nurl = "{CLOSED}"\n', encoding="utf-8")
    assert f"{CLOSED}: nothing answers there" in mltasks("failures", "prod").err
    put(tmp_path / "prod", "here", [hit("task-1", 1)])
    for more in ([], ["--redact"]):
        ran = mltasks("failures", "prod", *more, "--format", "json")
        assert (ran.rows[0]["tasks"], ran.err) == (1, "")
    for line in (("doctor", "prod"), ("sync", "prod", "prod")):  # which take nothing but clusters
        ran = mltasks(*line)
        assert (ran.code, "nothing answers there" in ran.out + ran.err) == (3, True)


def test_a_list_of_several_stores_reads_only_files_with_tasks_of_the_window(mltasks: Command, tmp_path: Path) -> None:
    for name in ("east", "west"):
        put(tmp_path / name, name, [hit("old", 1, create_time=AS_OF - 40 * DAY), hit("new", 2, create_time=AS_OF)])
        (old,) = (tmp_path / name / "_files").rglob("created=2025-10/*.pq")
        old.unlink()
    stores = [str(tmp_path / name) for name in ("east", "west")]
    ran = mltasks("list", *stores, "--since", "1d", "--columns", "cluster,task_id", "--format", "json")
    assert ran.rows == [{"cluster": "east", "task_id": "new"}, {"cluster": "west", "task_id": "new"}]
