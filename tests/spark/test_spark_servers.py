"""The command on a real cluster, on a Connect server, and where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mltasks
from mltasks.engines import spark_session
from mltasks.exceptions import UsageError
from support.command import Command

ON_LOOPBACK = {"SPARK_LOCAL_IP": "127.0.0.1"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real tasks as a file."""
    path = tmp_path_factory.mktemp("files") / "tasks.parquet"
    (path.parent / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 2\n")  # 200 would be 200 tasks each
    mltasks.write_parquet(mltasks.load("demo"), path)
    return path


def report(file: Path, *options: str, **environment: str) -> Any:
    """Return what the command prints as JSON, in a process of its own."""
    command = [sys.executable, "-m", "mltasks", "workers", str(file), "--by", "worker_node,task_type", "--json"]
    ran = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        env=os.environ | ON_LOOPBACK | {"SPARK_CONF_DIR": str(file.parent)} | environment,
        timeout=600,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_a_report_on_a_cluster_is_that_of_this_machine(master: str, java_home: Path, file: Path) -> None:
    expected = report(file)
    result = report(file, "--engine", "spark", "--spark-master", master, JAVA_HOME=str(java_home))
    assert result == expected


def test_a_report_over_connect_is_that_of_this_machine(remote: str, file: Path) -> None:
    assert report(file, "--engine", "spark", "--spark-remote", remote, JAVA_HOME="") == report(file)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--spark-master", "spark://127.0.0.1:1"], 3, "spark://127.0.0.1:1: no Spark answers there"),
        (["--spark-remote", "sc://127.0.0.1:1"], 3, "sc://127.0.0.1:1: no Spark answers there"),
        (["--spark-remote", "http://127.0.0.1"], 2, "is no URL of a Connect server; write sc://host:15002"),
        (["--spark-remote", "sc://x", "--spark-master", "y"], 2, "--spark-master and --spark-remote at once"),
    ],
    ids=str,
)
def test_where_no_spark_answers_one_line_says_so(mltasks: Command, options: list[str], code: int, message: str) -> None:
    ran = mltasks("failures", "demo", "--engine", "spark", *options)
    assert (ran.code, ran.err.count("\n")) == (code, 1)
    assert message in ran.err


def test_options_of_another_engine_and_engines_that_are_not_there_are_refused(mltasks: Command) -> None:
    ran = mltasks("failures", "demo", "--spark-master", "spark://h")
    assert (ran.code, ran.err) == (2, "mltasks: --spark-master: is for --engine spark; add that, or leave it out\n")
    ran = mltasks("failures", "demo", "--engine", "sparc")
    assert (ran.code, "there is no 'sparc'; there are duckdb" in ran.err) == (2, True)


def test_without_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UsageError, match="there is no Java; install one, 17 or newer"):
        spark_session.open_session(None, {"master": "local"})
