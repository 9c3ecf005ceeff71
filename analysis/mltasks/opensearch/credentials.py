"""Who asks a cluster, and whom to trust: user and password, token, client certificate, AWS signature, TLS."""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mltasks.exceptions import UsageError


class InsecureWarning(UserWarning):
    """A cluster's certificate is not checked, because somebody asked for that."""


@dataclass(frozen=True)
class Credentials:
    """How to log in to a cluster. Everything is checked before the first connection; `repr` shows no secret.

    With `aws_region` requests are signed (AWS SigV4) with the credentials that botocore finds.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False
    aws_region: str | None = None

    def __post_init__(self) -> None:
        if self.client_key and not self.client_cert:
            raise UsageError(f"--client-key {self.client_key}: give its certificate too, with --client-cert")
        if self.user and ":" in self.user:  # as curl takes it; what follows may be the password, so it is not repeated
            raise UsageError("--user has a colon in it; give the name alone, and the password by MLTASKS_PASSWORD")
        if self.user and self.password is None:
            raise UsageError(f"--user {self.user}: no password; set MLTASKS_PASSWORD or give --password-file")
        if self.password is not None and not self.user:
            raise UsageError("there is a password but no user; give --user or set MLTASKS_USER")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise UsageError(
                "the token holds blanks, line breaks or other letters than ASCII; give it alone on one line"
            )
        ways = {"--user": self.user, "a token": self.token, "--aws-region": self.aws_region}
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} at once; log in one way")
        self._check_files()

    @classmethod
    def from_environment(cls) -> Credentials:
        """Read MLTASKS_USER, MLTASKS_PASSWORD, MLTASKS_TOKEN, MLTASKS_CA_CERTS and so on, a variable a field."""
        found: dict[str, Any] = {f.name: os.environ.get(f"MLTASKS_{f.name.upper()}") or None for f in fields(cls)}
        return cls(**{**found, "insecure": found["insecure"] not in (None, "0", "false")})

    def login(self) -> dict[str, Any]:
        """Return the options of opensearch-py that say who asks."""
        if self.user:  # in UTF-8, as the server reads it; urllib3 knows only Latin-1
            pair = base64.b64encode(f"{self.user}:{self.password}".encode("utf-8", "surrogateescape"))
            return {"headers": {"authorization": f"Basic {pair.decode()}"}}
        if self.token:
            return {"headers": {"authorization": f"Bearer {self.token}"}}
        return {"http_auth": _signer(self.aws_region)} if self.aws_region else {}

    def tls(self) -> dict[str, Any]:
        """Return the options of opensearch-py that say whom to trust, and the client's certificate."""
        files = {name: getattr(self, name) for name in ("ca_certs", "client_cert", "client_key")}
        # without verification urllib3 would warn at each request; `Cluster` warns once
        found = {"verify_certs": not self.insecure, "ssl_show_warn": False}
        return found | {name: value for name, value in files.items() if value is not None}

    def _check_files(self) -> None:
        for name in ("ca_certs", "client_cert", "client_key"):
            path, option = getattr(self, name), f"--{name.replace('_', '-')}"
            if path and Path(path).is_dir():
                raise UsageError(f"{option} {path}: is a folder; name the file in it")
            if path and not Path(path).is_file():
                raise UsageError(f"{option} {path}: there is no such file")
        try:
            if self.ca_certs:
                ssl.create_default_context(cafile=self.ca_certs)
        except (ssl.SSLError, OSError) as error:
            raise UsageError(f"--ca-certs {self.ca_certs}: not a certificate in PEM format ({_words(error)})") from None
        try:
            if self.client_cert:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.client_cert, self.client_key, password="")
        except (ssl.SSLError, OSError) as error:
            remedy = "give the --client-key that belongs to it, both in PEM format and without a password"
            raise UsageError(f"--client-cert {self.client_cert}: cannot be used ({_words(error)}); {remedy}") from None


def _signer(region: str) -> Any:
    try:
        from botocore.session import Session
    except ImportError:
        raise UsageError("--aws-region: signing needs botocore; install it with pip install 'mltasks[aws]'") from None
    from opensearchpy import Urllib3AWSV4SignerAuth

    found = Session().get_credentials()
    if found is None:
        raise UsageError(f"--aws-region {region}: no AWS credentials found; set AWS_PROFILE or AWS_ACCESS_KEY_ID")
    return Urllib3AWSV4SignerAuth(found, region, "es")


def _words(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
