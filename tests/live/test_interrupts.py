"""What is left when a fetch is ended from outside: nothing but one line."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from live.proxy import Proxy
from live.server import Server

MLTASKS = [sys.executable, "-m", "mltasks"]


@pytest.fixture
def dripping(quiet_cluster: Server) -> Iterator[Proxy]:
    """A cluster whose second page comes byte by byte."""
    with Proxy(quiet_cluster.url, "slow drip", at=1) as proxy:
        yield proxy


@pytest.mark.parametrize("name", ["t.parquet", "t.ndjson.gz"])
def test_ctrl_c_during_a_fetch_leaves_no_file_and_one_line(dripping: Proxy, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    process = subprocess.Popen(
        [*MLTASKS, "fetch", dripping.url, "-o", str(path)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    begun = threading.Event()
    while dripping.searches < 2 and process.poll() is None:
        begun.wait(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert (out, err) == ("", "mltasks: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_deadline_ends_a_fetch_with_one_line_and_no_file(dripping: Proxy, tmp_path: Path) -> None:
    command = [
        *MLTASKS,
        "fetch",
        dripping.url,
        "--deadline",
        "0.5",
        "--timeout",
        "0.1",
        "-o",
        str(tmp_path / "t.parquet"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "the deadline of 0.5 s is over before the reading was; raise --deadline" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.parquet", "t.ndjson.gz"])
def test_a_full_disk_is_exit_5_with_one_line_and_nothing_half_written(
    quiet_cluster: Server, tmp_path: Path, name: str
) -> None:
    # no file may grow beyond 1 kB for this process: what a full disk answers, without filling one
    limited = ["bash", "-c", 'ulimit -f 1; PYTHONDONTWRITEBYTECODE=1 exec "$@"', "bash", *MLTASKS, "fetch"]
    done = subprocess.run(
        [*limited, quiet_cluster.url, "-o", str(tmp_path / name)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 5
    assert done.stderr == f"mltasks: {tmp_path / name}: cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []
