"""One real OpenSearch node on 127.0.0.1: start it, and leave nothing of it behind."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from live import guard, node
from live.api import Api
from live.assemble import RELEASES, home, java
from live.cache import SERVER_USER, as_root, cache_folder
from support.ports import free_ports

STARTED_WITHIN = 240.0
STOPPED_WITHIN = 20.0
PORT_TAKEN = ("Address already in use", "BindHttpException", "BindTransportException")


class ServerError(RuntimeError):
    """There is no server; the text says why, with the last lines of its output and log if it was started."""


@dataclass
class Server(Api):
    """A server to test against. One that was running already has no process here: `stop` leaves it alone."""

    name: str
    version: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, version: str = "3.6.0", java_home: Path | None = None, heap: str | None = None) -> Server:
        """Start a new server, assembled first if need be, and return once it answers; to be used in a `with`.

        `heap` is by default MLTASKS_TEST_HEAP, else 1g. Raises MissingError where something must be installed
        first, and ServerError with the end of the logs when it dies or does not answer within 240 s.
        """
        java_home = java_home or java(*RELEASES[version].java)
        server_home = home(version)
        heap = heap or os.environ.get("MLTASKS_TEST_HEAP") or "1g"
        try:
            return cls._start_once(version, server_home, java_home, heap)
        except ServerError as failure:
            # a port that was free when it was chosen may have been taken by another program since
            if not any(text in str(failure) for text in PORT_TAKEN):
                raise
        return cls._start_once(version, server_home, java_home, heap)

    @classmethod
    def running(cls, url: str) -> Server:
        """A handle for the server that already answers at `url`; ServerError if none does."""
        try:
            answer = Api(url.rstrip("/")).ask("GET", "/")
        except OSError as failure:
            raise ServerError(f"{url} does not answer: {failure}") from None
        return cls(url.rstrip("/"), answer["name"], answer["version"]["number"])

    @classmethod
    def _start_once(cls, version: str, server_home: Path, java_home: Path, heap: str) -> Server:
        http_port, transport_port = free_ports(2)
        server = cls(f"http://127.0.0.1:{http_port}", f"mltasks-{secrets.token_hex(4)}", version)
        try:
            # in the cache, which the server's user can surely come to: a temporary folder may be root's own
            server.folder = Path(tempfile.mkdtemp(prefix="running-", dir=cache_folder()))
            node.configure(server.folder, server.name, http_port, transport_port)
            server._launch(node.command(server_home, java_home, server.folder, heap), server.folder)
            server._wait()
        except BaseException:
            server.stop()
            raise
        return server

    def _launch(self, command: list[str], folder: Path) -> None:
        user: dict[str, Any] = {}
        if as_root():
            user = {"user": SERVER_USER, "group": SERVER_USER, "extra_groups": []}
            for path in (folder, *folder.rglob("*")):
                os.chown(path, SERVER_USER, SERVER_USER)
        with (folder / "logs" / "console.log").open("wb") as console:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={"PATH": os.defpath, "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for pytest, which then ends the server in order
                **user,
            )
        watching = [sys.executable, guard.__file__, str(self.process.pid), str(folder)]
        self.guard = subprocess.Popen(watching, stdin=subprocess.PIPE, start_new_session=True)

    def _wait(self) -> None:
        """Return once the cluster of this very server is ready."""
        deadline = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < deadline:
            if not self.alive():
                raise ServerError(f"the server ended while it was starting\n{self.log()}")
            with suppress(OSError, http.client.HTTPException):
                status, answer = self.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=5)
                # the name, as a port that we lost may be another server's
                if status == 200 and answer["cluster_name"] == self.name:
                    return
            threading.Event().wait(0.2)
        raise ServerError(f"the server did not answer within {STARTED_WITHIN:.0f} s\n{self.log()}")

    def kill_and_restart(self) -> None:
        """End the server with SIGKILL, as a lack of memory does, and start it again on its data and its ports."""
        assert self.process is not None, "only a server that was started here"
        assert self.folder is not None
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._dismiss_guard()
        java_home = java(*RELEASES[self.version].java)
        heap = os.environ.get("MLTASKS_TEST_HEAP") or "1g"
        self._launch(node.command(home(self.version), java_home, self.folder, heap), self.folder)
        self._wait()

    def alive(self) -> bool:
        """Whether the process that was started still runs; True for a server that was running already."""
        return self.process is None or self.process.poll() is None

    def stop(self) -> None:
        """End the server and remove its folder. A second call does nothing."""
        self._end()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._dismiss_guard()
        self.folder = None

    def _end(self) -> None:
        if self.process is not None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.process.wait()
        self.process = None

    def _dismiss_guard(self) -> None:
        if self.guard is not None:
            self.guard.communicate(b"stopped")
        self.guard = None

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def log(self, lines: int = 40) -> str:
        """The last lines of what the server printed and of its log."""
        if self.folder is None:
            return f"(the log of {self.url} is not ours to read)"
        shown = []
        for name in ("console.log", "server.log"):
            path = self.folder / "logs" / name
            text = path.read_text("utf-8", "replace") if path.exists() else ""
            shown += [f"--- {name}", *text.splitlines()[-lines:]]
        return "\n".join(shown)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
