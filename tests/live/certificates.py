"""Certificates, made when a test needs them: two authorities, a node, clients good and bad. No key is kept anywhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from live.java import MissingError

VALID = ("20200101000000Z", "20450101000000Z")
EXPIRED = ("20200101000000Z", "20210101000000Z")
NODE = "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1"  # and not for localhost
CLIENT = "extendedKeyUsage=clientAuth"
# name: common name, authority, what it is for, from when to when
ISSUED = {
    "node": ("node", "ca", NODE, VALID),
    "expired-node": ("node", "ca", NODE, EXPIRED),
    "admin": ("admin", "ca", CLIENT, VALID),
    "reader": ("reader", "ca", CLIENT, VALID),
    "stranger": ("stranger", "ca", CLIENT, VALID),  # whom the server does not know
    "expired-reader": ("reader", "ca", CLIENT, EXPIRED),
    "foreign-reader": ("reader", "other-ca", CLIENT, VALID),
}
REQUEST = """\
[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
unique_subject = no
[names]
O = supplied
CN = supplied
[use]
basicConstraints = CA:false
keyUsage = digitalSignature
authorityKeyIdentifier = keyid
{use}
"""


def make(folder: Path) -> None:
    """Fill `folder` with NAME.pem and NAME.key for `ca`, `other-ca` and all of ISSUED.

    Raises MissingError where the command `openssl` is not installed.
    """
    if shutil.which("openssl") is None:
        raise MissingError("no openssl: install it (Debian: `apt-get install openssl`), it makes certificates")
    folder.mkdir(parents=True, exist_ok=True)
    for authority in ("ca", "other-ca"):
        _authority(folder, authority)
    (folder / "serial").write_text("1000")
    (folder / "index").touch()
    for name, (common_name, authority, use, period) in ISSUED.items():
        _issue(folder, name, common_name, authority, use, period)
    kept = {f"{name}.{kind}" for name in ("ca", "other-ca", *ISSUED) for kind in ("pem", "key")}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()


def _authority(folder: Path, name: str) -> None:
    extensions = ("basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign")
    added = [word for extension in extensions for word in ("-addext", extension)]
    certificate = ("-x509", "-out", f"{name}.pem", "-days", "3650", *added)
    _openssl(folder, "req", *certificate, *_new_key(name), "-subj", f"/O=fixture/CN={name}")


def _issue(folder: Path, name: str, common_name: str, authority: str, use: str, period: tuple[str, str]) -> None:
    (folder / "request.cnf").write_text(REQUEST.format(use=use))
    _openssl(folder, "req", "-new", "-out", "request.csr", *_new_key(name), "-subj", f"/O=fixture/CN={common_name}")
    signed_by = ("-cert", f"{authority}.pem", "-keyfile", f"{authority}.key")
    dated = ("-startdate", period[0], "-enddate", period[1])
    files = ("-config", "request.cnf", "-in", "request.csr", "-out", f"{name}.pem")
    _openssl(folder, "ca", "-batch", "-notext", "-extensions", "use", *files, *signed_by, *dated)


def _new_key(name: str) -> tuple[str, ...]:
    """A key without a password in PKCS#8, the only form that the security plugin reads."""
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")


def _openssl(folder: Path, *arguments: str) -> None:
    answer = subprocess.run(
        ["openssl", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if answer.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {answer.stderr[-1000:]}")
