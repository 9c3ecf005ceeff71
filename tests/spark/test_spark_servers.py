"""The command on a real cluster, on a Connect server, and where there is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.engines import spark_session
from mltasks.exceptions import UsageError
from support.command import Command

PROGRAM = """
import sys, mltasks
from mltasks.cli.main import main
file, *options = sys.argv[1:]
code = main(["failures", file, "--engine", "spark", *options, "--json"])
frame = mltasks.scan(file, engine="spark").frame
print(mltasks.workers(frame, by=["worker_node", "task_type"]).to_json())
frame.sparkSession.stop()
try:
    mltasks.workers(frame)
except mltasks.UsageError as error:
    print(error)
sys.exit(code)
"""  # the command; in the session that it has opened, a report on a user's frame; and one when that session is gone


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real tasks as a file."""
    path = tmp_path_factory.mktemp("files") / "tasks.parquet"
    mltasks.write_parquet(mltasks.load("demo"), path)
    return path


def check(command: Command, file: Path, options: Sequence[str], own: Mapping[str, str]) -> None:
    """Compare what a process of its own prints with the reports of this one."""
    words = [sys.executable, "-c", PROGRAM, str(file), *options]
    ran = subprocess.run(words, capture_output=True, text=True, env=os.environ | own, timeout=600)
    assert (ran.returncode, ran.stderr) == (0, "")
    failures, workers, gone = ran.stdout.rstrip().rsplit("\n", 2)
    assert json.loads(failures) == json.loads(command("failures", str(file), "--json").out)
    rows = pq.read_table(file).replace_schema_metadata(None)
    assert json.loads(workers) == json.loads(mltasks.workers(rows, by=["worker_node", "task_type"]).to_json())
    assert re.fullmatch(r"the Spark session is gone \(.*\); make a new one, and the frame with it", gone)


def test_reports_on_a_cluster_are_those_of_this_machine(
    mltasks: Command, master: str, own: dict[str, str], file: Path
) -> None:
    check(mltasks, file, ["--spark-master", master], own)


def test_reports_over_connect_are_those_of_this_machine(mltasks: Command, remote: str, file: Path) -> None:
    check(mltasks, file, ["--spark-remote", remote], {"JAVA_HOME": "", "SPARK_LOCAL_IP": "127.0.0.1"})


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
