"""What only a process of its own shows: pipes, signals, encodings, exit codes as a shell sees them."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "mltasks")
DEMO_LIST = ("list", "demo", "--top", "0", "--wide")


@pytest.mark.parametrize("arguments", [DEMO_LIST, ("failures", "demo")])
def test_a_reader_that_has_seen_enough_is_no_error(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full, a device that is always full")
@pytest.mark.parametrize("arguments", [DEMO_LIST, ("failures", "demo")])
def test_a_stdout_that_takes_nothing_is_exit_5_and_one_line(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 5
    assert ran.stderr == "mltasks: stdout: cannot be written: No space left on device; write a file with -o\n"


def test_an_interrupt_is_one_line_and_exit_130(tmp_path: Path) -> None:
    source = tmp_path / "answer.json"
    os.mkfifo(source)
    with subprocess.Popen([*COMMAND, "list", str(source)], stderr=subprocess.PIPE, text=True) as ran:
        with source.open("wb"):  # opens when the command has begun to read
            ran.send_signal(signal.SIGINT)
            assert ran.wait() == 130
        assert ran.stderr
        assert ran.stderr.read() == "mltasks: interrupted\n"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda value: str(value),
)
def test_a_command_that_is_ended_while_it_writes_leaves_nothing(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    output, temporary = tmp_path / "output", tmp_path / "temporary"
    output.mkdir()
    temporary.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        call = [*COMMAND, "fetch", f"http://127.0.0.1:{server.getsockname()[1]}", "-o", str(output / "t.parquet")]
        environment = {**os.environ, "TMPDIR": str(temporary)}
        with subprocess.Popen(call, stderr=subprocess.PIPE, text=True, env=environment) as ran:
            connection, _ = server.accept()  # the command waits for an answer, with its file begun
            with connection:
                assert len(list(output.iterdir())) == 1
                ran.send_signal(number)
                assert ran.wait() == code
            assert ran.stderr
            assert ran.stderr.read() == "mltasks: interrupted\n"
    assert [*output.iterdir(), *temporary.iterdir()] == []


def test_a_signal_that_the_shell_wants_ignored_is_ignored(tmp_path: Path) -> None:
    source = tmp_path / "hits.ndjson"
    os.mkfifo(source)
    call = ["bash", "-c", f"trap '' HUP; exec {shlex.join([*COMMAND, 'list', str(source)])}"]  # as nohup does
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as ran:
        with source.open("w") as hits:
            ran.send_signal(signal.SIGHUP)
            hits.write('{"_id": "a", "_source": {"state": "COMPLETED", "create_time": 1764000000000}}\n')
        assert ran.wait() == 0


def test_a_terminal_that_knows_only_ascii_gets_escapes_and_no_error() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run([*COMMAND, "failures", "demo"], capture_output=True, env=environment, check=True)
    assert b"PREDICTION" in ran.stdout
    assert rb"\u2013" in ran.stdout


def test_an_error_is_the_exit_code_of_the_process() -> None:
    ran = subprocess.run([*COMMAND, "failures", "nowhere.json"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("mltasks: nowhere.json: there is no such file")


def test_a_stdout_that_the_shell_has_closed_is_exit_5_and_one_line() -> None:
    call = shlex.join([*COMMAND, "failures", "demo"])
    ran = subprocess.run(["bash", "-c", f"{call} >&-"], stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (5, "mltasks: stdout: is closed; write a file with -o\n")


def test_a_dash_is_stdout_and_its_format_is_the_one_that_is_named() -> None:
    ran = subprocess.run([*COMMAND, "failures", "demo", "--format", "csv", "-o", "-"], capture_output=True, check=True)
    assert ran.stdout.startswith(b"task_type,function_name,tasks,")


@pytest.mark.parametrize(("set_to", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_a_terminal_that_wants_them(set_to: dict[str, str], coloured: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    controlling, terminal = pty.openpty()
    subprocess.run(
        [*COMMAND, "failures", "demo"], stdout=terminal, env={**environment, "TERM": "xterm", **set_to}, check=True
    )
    os.close(terminal)
    with os.fdopen(controlling, "rb") as output:
        assert (b"\x1b[1m" in output.read1()) is coloured
