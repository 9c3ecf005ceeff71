"""A Spark session: that of the program that runs us, one on this machine, on a cluster, or of a Connect server."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from mltasks.exceptions import EngineError, UsageError

LOCAL = "local[*]"
SUBMITTED = "PYSPARK_GATEWAY_PORT"  # spark-submit sets it: there master and settings are its own
CALL_SITES = (
    "spark.python.sql.dataFrameDebugging.enabled"  # where each expression was written: half of all calls to Java
)
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    CALL_SITES: "false",
}
ON_THIS_MACHINE = {  # no host name is looked up, no port is open to others, and few tasks make few files
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
}
ANSWER_S = 10  # for which a master or server is waited for
CONNECT_PORT = 15002
LOG = 4000  # characters of what Java wrote, for an error


def open_session(session: Any, settings: Mapping[str, str]) -> Any:
    """Return the session that is given, else the one that runs, else a new one.

    `settings`: `master` (a URL such as ``spark://host:7077``) or `remote` (of a Connect server, ``sc://host:15002``).
    Raises UsageError where Spark or Java is not installed, EngineError where nobody answers.
    """
    if session is not None:
        if type(session).__module__.partition(".")[0] != "pyspark":
            raise UsageError(f"session: {type(session).__name__} is not a SparkSession; give one, or leave it out")
        return session
    master, remote = settings.get("master"), settings.get("remote")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError("engine spark: pyspark is not installed; pip install 'mltasks[spark]'") from None
    if remote:
        return _connect(SparkSession.builder, remote)
    active = SparkSession.getActiveSession()
    if active is not None and not master:
        return active
    _check_java()
    if master and master.startswith("spark://"):
        for host in master.removeprefix("spark://").split(","):
            _check_answer(f"spark://{host}", 7077)
    return _start(SparkSession.builder, master)


def _start(builder: Any, master: str | None) -> Any:
    if master is None and SUBMITTED not in os.environ:
        master = LOCAL
    own = SETTINGS | (ON_THIS_MACHINE if master is not None and master.startswith("local") else {})
    for name, value in own.items():
        builder = builder.config(name, value)
    if master is not None:
        builder = builder.master(master)
    with _quiet() as log:
        try:
            return builder.appName("mltasks").getOrCreate()
        except Exception as error:
            log.seek(0)
            lines = [line for line in log.read()[-LOG:].splitlines() if "Exception" in line or "rror" in line]
            why = (lines or str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EngineError(
                f"{master or 'spark'}: no Spark session could be started ({why.strip()[:200]})"
            ) from error


def _connect(builder: Any, remote: str) -> Any:
    if not remote.startswith("sc://"):
        raise UsageError(f"--spark-remote: {remote!r} is no URL of a Connect server; write sc://host:{CONNECT_PORT}")
    _check_answer(remote, CONNECT_PORT)
    try:
        session = builder.remote(remote).getOrCreate()
        session.range(1).count()
    except ImportError as error:
        raise UsageError(f"--spark-remote: {error.name} is not installed; pip install 'pyspark[connect]'") from error
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EngineError(f"{remote.partition(';')[0]}: no Spark session ({first[:200]})") from error
    return session


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if SUBMITTED not in os.environ and not (shutil.which("java") or (home and shutil.which(f"{home}/bin/java"))):
        raise UsageError(
            "engine spark: there is no Java; install one, 17 or newer (such as openjdk-17-jre-headless), or set "
            "JAVA_HOME; with --spark-remote none is needed here"
        )


def _check_answer(url: str, port: int) -> None:
    """Raise EngineError where nobody listens: Spark itself would try for minutes."""
    parts = urlsplit(url.partition(";")[0])
    place = f"{parts.hostname or ''}:{parts.port or port}"
    try:
        socket.create_connection((parts.hostname or "", parts.port or port), timeout=ANSWER_S).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise EngineError(f"{parts.scheme}://{place}: no Spark answers there ({why}); is it running?") from error


@contextmanager
def _quiet() -> Iterator[Any]:
    """Keep what Java writes when it starts, and later, out of the terminal; yield the file that has it."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield log
        finally:
            os.dup2(kept, 2)
            os.close(kept)
