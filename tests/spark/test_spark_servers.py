"""The command on a real cluster, on a Connect server, and where there is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks import scan, workers
from mltasks.engines import spark_session
from mltasks.exceptions import UsageError
from support.command import Command

GONE = r"the Spark session is gone \(.*\); make a new one, and the frame with it"
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


@pytest.fixture
def both_workers(session: Any) -> Iterator[None]:
    """Let each step have work for two executors."""
    names = ("spark.sql.shuffle.partitions", "spark.sql.leafNodeDefaultParallelism")
    for name in names:
        session.conf.set(name, "2")
    yield
    for name in names:
        session.conf.set(name, "1")


@pytest.mark.usefixtures("both_workers")
def test_a_command_on_a_cluster_prints_what_this_machine_does(
    mltasks: Command, master: str, session: Any, file: Path
) -> None:
    ran = mltasks("failures", str(file), "--json", "--engine", "spark", "--spark-master", master)
    assert json.loads(ran.out) == json.loads(mltasks("failures", str(file), "--json").out)
    assert session.sparkContext.master == master
    executors = session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    assert len(executors) == 3  # the driver is one of them


def test_reports_over_connect_are_those_of_this_machine(mltasks: Command, remote: str, file: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, str(file), "--spark-remote", remote]
    without_java = os.environ | {"JAVA_HOME": "", "SPARK_LOCAL_IP": "127.0.0.1"}
    ran = subprocess.run(words, capture_output=True, text=True, env=without_java, timeout=600)
    assert (ran.returncode, ran.stderr) == (0, "")
    failures, nodes, gone = ran.stdout.rstrip().rsplit("\n", 2)
    assert json.loads(failures) == json.loads(mltasks("failures", str(file), "--json").out)
    rows = pq.read_table(file).replace_schema_metadata(None)
    expected = workers(rows, by=["worker_node", "task_type"])
    assert json.loads(nodes) == json.loads(expected.to_json())
    assert re.fullmatch(GONE, gone)


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
    assert "doctor" not in ran.err


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


def test_a_frame_of_a_session_that_is_gone_says_so(session: Any, file: Path) -> None:
    """The last test on Spark: it stops the session that they share."""
    frame = scan(file, engine="spark", session=session).frame
    session.stop()
    with pytest.raises(UsageError, match=GONE):
        workers(frame)
