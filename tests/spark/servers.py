"""Spark's own servers on loopback: a standalone cluster, and a Connect server."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
START_S = 180  # until a server has to be there
SMALL = "-Djava.net.preferIPv4Stack=true -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
LOCAL = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


def environment(java_home: Path, folder: Path) -> dict[str, str]:
    """Return what Spark's programs need to stay on loopback, and small."""
    own = {
        "JAVA_HOME": str(java_home),
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_PUBLIC_DNS": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_DAEMON_JAVA_OPTS": SMALL,
    }
    return {name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"} | own


@contextmanager
def cluster(java_home: Path, folder: Path) -> Iterator[str]:
    """Run a master and two workers of one core each; yield the master's URL."""
    port = _free_port()
    url = f"spark://127.0.0.1:{port}"
    master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port)]
    worker = ["org.apache.spark.deploy.worker.Worker", url, "--host", "127.0.0.1", "--cores", "1", "--memory", "1g"]
    with ExitStack() as stack:
        stack.enter_context(_run(["bin/spark-class", *master, "--webui-port", "0"], java_home, folder, "master"))
        for name in ("one", "two"):
            command = ["bin/spark-class", *worker, "--webui-port", "0", "--work-dir", str(folder / name)]
            stack.enter_context(_run(command, java_home, folder, name))
        _wait(lambda: (folder / "master.log").read_text().count("Registering worker") == 2, folder)
        yield url


@contextmanager
def connect_server(java_home: Path, folder: Path) -> Iterator[str]:
    """Run a Connect server on two cores of this machine; yield its URL."""
    port = _free_port()
    settings = {
        **LOCAL,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "America/New_York",
    }
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--driver-memory", "1g"]
    command = ["bin/spark-submit", *server, "--master", "local[2]", *options, "spark-internal"]
    with _run(command, java_home, folder, "connect"):
        _wait(lambda: _is_open(port), folder)
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def _run(command: Sequence[str], java_home: Path, folder: Path, name: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [HOME / command[0], *command[1:]], env=environment(java_home, folder), stdout=log, stderr=log, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def _wait(is_there: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while not is_there():
        if time.monotonic() > deadline:
            logs = {path.name: path.read_text()[-1000:] for path in folder.glob("*.log")}
            raise TimeoutError(f"no Spark after {START_S} s: {logs}")
        time.sleep(0.1)


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
