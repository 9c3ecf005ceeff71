"""A real server behind the security plugin: TLS, users, roles, client certificates, bearer tokens.

Which combination of versions it runs, which nobody supports, is said in secured_home.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from live import certificates, node, security_files
from live.api import Api
from live.assemble import RELEASES, java
from live.cache import cache_folder
from live.made_up import fill
from live.make_tasks import train
from live.prepare import SETTINGS as ML_SETTINGS
from live.secured_home import VERSION, secured_home
from live.server import STARTED_WITHIN, Server, ServerError
from support.ports import free_ports

HEAP = "768m"
USERS = ("admin", "reader", "nobody", "insider")
TASKS = 61  # one real one that failed, and made-up ones
LOADED = "Done with success"  # securityadmin's last words


def _passwords() -> dict[str, str]:
    """A password for each user; with letters that are in UTF-8 two bytes and three."""
    return {user: f"{secrets.token_urlsafe(18)} ä€" for user in USERS}


@dataclass
class SecuredServer(Server):
    """A node with users; the test's own calls are made with the admin certificate, which may do everything.

    Users are `admin` (all_access), `reader` (ml_read_access and nothing else), `nobody` (no role) and `insider`
    (ml_read_access, and the index permission that `closed` asks for). Passwords and the key of tokens are made for
    each run, so that one found anywhere was written by it.

    `unready`, `open` and `closed` bring it into a state, with a start only where that needs one.
    """

    passwords: dict[str, str] = field(default_factory=_passwords, repr=False)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(48), repr=False)
    state: str = ""

    @classmethod
    def assembled(cls) -> SecuredServer:
        """A server that is laid out and not yet started; to be used in a `with`.

        Raises MissingError where something must be installed first.
        """
        java(*RELEASES[VERSION].java)
        server = cls("", f"mltasks-{secrets.token_hex(4)}", VERSION)
        try:
            server._lay_out()
        except BaseException:
            server.stop()
            raise
        return server

    def unready(self) -> None:
        """See to it that no users are loaded: everybody is answered 503 until `open` is called."""
        if self.state != "unready":
            if self.process is not None:
                self.stop()
                self._lay_out()
            self._start({})
            self.state = "unready"

    def open(self) -> None:
        """See to it that users can log in, and that there are tasks."""
        if self.state == "open":
            return
        if self.state == "closed":
            self._start({})
            self._reload_users()
        else:
            self.unready()
            self._load_users()
            self._make_tasks()
        self.state = "open"

    def closed(self) -> None:
        """See to it that the setting holds which closes the index of tasks even to its administrator."""
        if self.state != "closed":
            self.open()
            self._start(security_files.CLOSED)
            self._reload_users()
            self.state = "closed"

    @property
    def conf(self) -> Path:
        """The folder of the configuration, with the certificates that certificates.py made."""
        assert self.folder is not None
        return self.folder / "conf"

    def token(self, role: str = "ml_readers", life: float = 3600, key: bytes | None = None) -> str:
        """A bearer token (JWT, HS256) with a backend role, valid for `life` seconds from now."""
        claims = {"sub": "someone", "roles": role, "exp": int(time.time() + life)}
        parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        signed = hmac.new(key or self.key, ".".join(parts).encode(), hashlib.sha256).digest()
        return ".".join([*parts, _base64(signed)])

    def _lay_out(self) -> None:
        home = secured_home()
        self.url = f"https://127.0.0.1:{free_ports(1)[0]}"
        self.folder = Path(tempfile.mkdtemp(prefix="running-", dir=cache_folder()))
        certificates.make(self.conf)
        security_files.write(home, self.conf, self.key)
        self.tls = self._trust()
        self.tls.load_cert_chain(self.conf / "admin.pem", self.conf / "admin.key")
        for path in (self.conf, *self.conf.rglob("*")):  # else a warning for each
            path.chmod(0o700 if path.is_dir() else 0o600)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.conf / "ca.pem")

    def _start(self, more: dict[str, str]) -> None:
        """Start the node on what is in its folder, with more settings; one that runs is ended first."""
        assert self.folder is not None
        self._end()
        self._dismiss_guard()
        port = urlsplit(self.url).port or 0
        node.configure(self.folder, self.name, port, free_ports(1)[0], security_files.SETTINGS | more)
        self._launch(node.command(secured_home(), java(*RELEASES[VERSION].java), self.folder, HEAP), self.folder)
        self._wait()

    def _load_users(self) -> None:
        """Load roles and ways to log in with the plugin's own tool, then make the users."""
        home = secured_home()
        command: list[str | Path] = [java(*RELEASES[VERSION].java) / "bin" / "java"]
        command += ["-cp", f"{home}/plugins/{security_files.PLUGIN}/*:{home}/lib/*"]
        command += ["org.opensearch.security.tools.SecurityAdmin", "-cd", self.conf / security_files.PLUGIN]
        command += ["-icl", "-nhnv", "-h", "127.0.0.1", "-p", str(urlsplit(self.url).port)]
        for option, name in {"-cacert": "ca.pem", "-cert": "admin.pem", "-key": "admin.key"}.items():
            command += [option, self.conf / name]
        said = [""]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if line.startswith(LOADED):
                    process.kill()  # it would rest for five seconds before it ends
        if not said[-1].startswith(LOADED):
            raise ServerError(f"securityadmin: {''.join(said)[-3000:]}")
        self._wait_for_users()
        for user, password in self.passwords.items():
            self.ask("PUT", f"/_plugins/_security/api/internalusers/{user}", {"password": password})

    def _reload_users(self) -> None:
        """Load the users that an earlier start has stored."""
        self.ask("DELETE", "/_plugins/_security/api/cache")
        self._wait_for_users()

    def _wait_for_users(self) -> None:
        """Return once the users are loaded: then whoever does not log in is told so, with 401 instead of 503."""
        anybody = Api(self.url, tls=self._trust())
        deadline = time.monotonic() + STARTED_WITHIN
        while anybody.request("GET", "/")[0] != 401:
            if time.monotonic() > deadline:
                raise ServerError(f"the users were not loaded within {STARTED_WITHIN:.0f} s\n{self.log()}")
            threading.Event().wait(0.1)

    def _make_tasks(self) -> None:
        settings = {f"plugins.ml_commons.{name}": value for name, value in ML_SETTINGS.items()}
        self.ask("PUT", "/_cluster/settings", {"persistent": settings})
        train(self, "kmeans", index="no_such_index")
        fill(self, TASKS - 1)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
