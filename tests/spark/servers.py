"""Spark on loopback, small: its programs and settings, and a standalone cluster."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from support.ports import free_ports

INSTALLED = Path(pyspark.__file__).parent
UNUSED = re.compile(
    "spark-(mllib|hive|yarn|kubernetes)|hive|datanucleus|derby|kubernetes|volcano|vertx|breeze|spire|arpack"
)
START_S = 180  # until a server has to be there
SMALL = (
    "-Djava.net.preferIPv4Stack=true -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"  # a quarter of what a start takes
)
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.adaptive.enabled": "false",  # it plans again after each step
    "spark.sql.codegen.wholeStage": "false",  # to compile takes longer than to run
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.locality.wait": "0s",
    "spark.sql.session.timeZone": "America/New_York",  # not UTC
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",  # each session is a Connect server, too
    "spark.connect.grpc.binding.address": "127.0.0.1",
}
PORT = "spark.connect.grpc.binding.port"


def make_home(folder: Path) -> tuple[Path, str]:
    """Return a SPARK_HOME with our settings, and the URL at which its session will answer to Connect.

    Of the jars, all of which Java looks through for a class, it has those that are used.
    """
    (folder / "jars").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "bin").symlink_to(INSTALLED / "bin")
    for jar in (INSTALLED / "jars").glob("*.jar"):
        if not UNUSED.match(jar.name):
            (folder / "jars" / jar.name).symlink_to(jar)
    (port,) = free_ports(1)
    settings = SETTINGS | {PORT: str(port), "spark.sql.warehouse.dir": str(folder / "warehouse")}
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    (folder / "conf" / "spark-defaults.conf").write_text("".join(lines))
    return folder, f"sc://127.0.0.1:{port}"


def environment(java_home: Path, home: Path, folder: Path) -> dict[str, str]:
    """Return what Spark's programs need to stay on loopback, and small."""
    return {
        "JAVA_HOME": str(java_home),
        "JDK_JAVA_OPTIONS": SMALL,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,  # what turns the rows of a test into Spark's
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_PUBLIC_DNS": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "512m",
    }


@contextmanager
def cluster(own: Mapping[str, str], folder: Path, workers: int = 2) -> Iterator[str]:
    """Run a master and workers of one core each; yield the master's URL. `own`: as `environment` returns."""
    (port,) = free_ports(1)
    url = f"spark://127.0.0.1:{port}"
    master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port)]
    worker = ["org.apache.spark.deploy.worker.Worker", url, "--host", "127.0.0.1", "--cores", "1", "--memory", "1g"]
    with ExitStack() as stack:
        stack.enter_context(_run(["spark-class", *master, "--webui-port", "0"], own, folder, "master"))
        for name in map(str, range(workers)):
            command = ["spark-class", *worker, "--webui-port", "0", "--work-dir", str(folder / name)]
            stack.enter_context(_run(command, own, folder, name))
        _wait(lambda: (folder / "master.log").read_text().count("Registering worker") == workers, folder)
        yield url


@contextmanager
def _run(command: Sequence[str], own: Mapping[str, str], folder: Path, name: str) -> Iterator[None]:
    program = Path(own["SPARK_HOME"], "bin", command[0])
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen([program, *command[1:]], env=os.environ | own, stdout=log, stderr=log, cwd=folder)
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
