"""No password and no token is in any output, log, traceback or file.

It runs OpenSearch and ML Commons 3.6.0 with the security plugin 3.4.0.0, a combination that nobody supports: there is
no security plugin for 3.6.0 to be had (secured_home.py says more).
"""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mltasks
from live.logins import LOGINS, Variables, ca, log_in, password, token
from live.secured import SecuredServer
from mltasks import Access, Cluster, Credentials

# Starts the command with every logger of the process on stderr.
LOUD = "import logging; logging.basicConfig(level=1); from mltasks.cli.main import run; run()"


def secrets_of(server: SecuredServer, variables: Variables) -> list[str]:
    """What must not be found: a password (the part that no encoding changes), a token, and both as they are sent."""
    user, word, bearer = (variables.get(f"MLTASKS_{name}", "") for name in ("USER", "PASSWORD", "TOKEN"))
    sent = base64.b64encode(f"{user}:{word}".encode()).decode() if word else ""
    return [found for found in (word.partition(" ")[0], sent, bearer, bearer.rpartition(".")[2]) if found]


PAGE = (["report", "URL", "-o", "report.html"], 0)
LINES: list[tuple[list[str], int]] = [
    (["fetch", "URL", "-o", "tasks.parquet"], 0),
    (["fetch", "URL", "-o", "hits.ndjson.gz"], 0),
    (["failures", "URL", "--format", "json", "-o", "failures.json"], 0),
    (["failures", "URL", "--query", '{"nope": {}}'], 2),
    (["failures", "URL/x"], 3),
    (["failures", "http://127.0.0.1:9"], 3),
    (["failures", "OTHER"], 3),
]


@pytest.mark.parametrize(
    ("way", "line"),
    [("password", PAGE), *((way, line) for way in ("password", "token") for line in LINES)],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[0]),
)
def test_no_secret_is_in_any_output_log_traceback_or_file(
    secured: SecuredServer, way: str, line: tuple[list[str], int], tmp_path: Path
) -> None:
    (arguments, code), variables = line, LOGINS[way](secured)
    other = secured.url.replace("127.0.0.1", "localhost")  # the certificate is not for it
    filled = [word.replace("URL", secured.url).replace("OTHER", other) for word in arguments]
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", LOUD, *filled, "--debug"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "PYTHONUTF8": "1", **variables},
        capture_output=True,
    )
    assert ran.returncode == code, ran.stderr.decode()
    assert b"DEBUG:urllib3" in ran.stderr, "the logs are on"
    assert (b"Traceback" in ran.stderr) == (code != 0)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written += [gzip.decompress(content) for content in written if content[:2] == b"\x1f\x8b"]
    written += [mltasks.load(path).to_csv().encode() for path in tmp_path.rglob("*.parquet")]
    assert bool(written) == ("-o" in arguments)
    for secret in secrets_of(secured, variables):
        assert all(secret.encode() not in content for content in (ran.stdout, ran.stderr, *written))


@pytest.mark.parametrize("way", LOGINS)
def test_a_command_that_is_refused_says_one_line_also_in_development_mode(
    secured: SecuredServer, way: str, tmp_path: Path
) -> None:
    variables = LOGINS[way](secured) | ca(secured, "other-ca")
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "mltasks", "failures", secured.url],
        env={"PATH": os.defpath, "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    said = (
        f"mltasks: {secured.url}: the server's certificate is signed by an unknown authority; give it with --ca-certs"
    )
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("\n") == 1


def test_no_secret_is_in_what_python_shows_of_an_access_or_a_cluster(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables in (password(secured), token(secured)):
        log_in(monkeypatch, variables)
        credentials = Credentials.from_environment()
        shown = repr([credentials, Access(credentials), Cluster(secured.url, credentials)])
        for secret in secrets_of(secured, variables):
            assert secret not in shown
