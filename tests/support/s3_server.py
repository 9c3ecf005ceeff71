"""A real S3 server on loopback (versitygw), over a folder: what is in the folder is what is in the bucket."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from live.cache import cached
from live.java import MissingError

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
KEY, SECRET, REGION = "key-of-tests", "secret-of-the-tests", "us-east-1"
BUCKET = "history"


@dataclass(frozen=True)
class S3Server:
    """A server that runs: its address, and the folder of its buckets."""

    address: str  # host:port
    folder: Path

    def environment(self, address: str | None = None) -> dict[str, str]:
        """Return how a client reaches it, as AWS names that; by another address where something is in between."""
        return {
            "AWS_ENDPOINT_URL": f"http://{address or self.address}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


def binary() -> Path:
    """Return the server's program, built once by Go; raises MissingError where there is no Go."""
    go = shutil.which("go")
    if go is None:
        raise MissingError("no S3 server: install Go (https://go.dev/dl), which builds versitygw")

    def build(folder: Path) -> None:
        environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
        subprocess.run([go, "install", MODULE], env=environment, check=True, capture_output=True)

    return cached(f"versitygw-{VERSION}", build) / "versitygw"


@contextmanager
def started(folder: Path) -> Iterator[S3Server]:
    """Run a server with one bucket for a while."""
    program = binary()
    (folder / "buckets" / BUCKET).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [str(program), "--port", address, "--region", REGION, "--quiet", "posix", str(folder / "buckets")]
    keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET, "PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=keys, stdout=log, stderr=log) as process:
        try:
            _wait(address, process)
            yield S3Server(address, folder / "buckets")
        finally:
            process.terminate()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; raises RuntimeError where it ends, or needs more than a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{address}/", timeout=5).close()
        except urllib.error.HTTPError:  # it refuses who has no key, and so is there
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"versitygw at {address} does not answer")
