"""Who asks a cluster, and whom to trust: user and password, token, client certificate, AWS signature, TLS."""

from __future__ import annotations

import base64
import os
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mltasks.exceptions import InsecureWarning as InsecureWarning
from mltasks.exceptions import UsageError

SUFFIXES = (".pem", ".crt", ".cer", ".cert", ".der", ".key", ".p12", ".pfx", ".txt")  # of certificates and keys
HIDDEN = " (not repeated here, as it may be a secret)"
SECRETS, SERVICES = ("password", "token"), ("es", "aoss")


@dataclass(frozen=True, repr=False)
class Credentials:
    """How to log in to a cluster. Everything is checked before the first connection; `repr` shows no secret.

    Parameters
    ----------
    user, password : str, optional
        Log in by name and password.
    token : str, optional
        Log in by a bearer token.
    ca_certs : str, optional
        The file of the authority that signed the server's certificate.
    client_cert, client_key : str, optional
        The files of a certificate to log in with, and of its key.
    insecure : bool
        Take any certificate, and send credentials over plain http to other machines.
    aws_region : str, optional
        Sign requests (AWS SigV4) for this region, with the credentials that botocore finds.
    aws_service : str, optional
        Sign for ``"es"`` (the default), or for ``"aoss"``, OpenSearch Serverless.
    tenant_id : str, optional
        The tenant, where a cluster has several; it is sent as `x-tenant-id`.

    Examples
    --------
    >>> mltasks.Credentials(user="reader", password="secret")
    Credentials(user='reader', password=***)
    """

    user: str | None = None
    password: str | None = None
    token: str | None = None
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False
    aws_region: str | None = None
    aws_service: str | None = None
    tenant_id: str | None = None

    def __repr__(self) -> str:
        """Return what is set, on one line and without secrets."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}
        shown = (f"{name}={'***' if name in SECRETS else repr(value)}" for name, value in values.items())
        return f"Credentials({', '.join(shown)})"

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
        if self.tenant_id is not None and not (self.tenant_id.isascii() and self.tenant_id.isprintable()):
            raise UsageError("--tenant-id: not a value for a header; give it in ASCII, without line breaks")
        if self.aws_service and self.aws_service not in SERVICES:
            raise UsageError(f"--aws-service {self.aws_service}: there are {' and '.join(SERVICES)}")
        if self.aws_service and not self.aws_region:
            raise UsageError(f"--aws-service {self.aws_service}: give the --region too")
        ways = {"--user": self.user, "a token": self.token, "--region": self.aws_region}
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} at once; log in one way")
        self._check_files()

    @classmethod
    def from_environment(cls) -> Credentials:
        """Read MLTASKS_USER, MLTASKS_PASSWORD, MLTASKS_TOKEN, MLTASKS_CA_CERTS and so on, a variable a field."""
        values: dict[str, Any] = {f.name: os.environ.get(f"MLTASKS_{f.name.upper()}") or None for f in fields(cls)}
        return cls(**{**values, "insecure": values["insecure"] not in (None, "0", "false")})

    @property
    def is_secret(self) -> bool:
        """Whether a request carries something that nobody else may read."""
        return bool(self.user or self.token or self.aws_region)

    def login(self) -> dict[str, Any]:
        """Return the options of opensearch-py that say who asks."""
        headers = {"x-tenant-id": self.tenant_id} if self.tenant_id else {}
        if self.user:  # in UTF-8, as the server reads it; urllib3 knows only Latin-1
            pair = base64.b64encode(f"{self.user}:{self.password}".encode("utf-8", "surrogateescape"))
            headers["authorization"] = f"Basic {pair.decode()}"
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        signer = {"http_auth": _signer(self.aws_region, self.aws_service or "es")} if self.aws_region else {}
        return {"headers": headers, **signer} if headers else signer

    def tls(self) -> dict[str, Any]:
        """Return the options of opensearch-py that say whom to trust, and the client's certificate."""
        files = {name: getattr(self, name) for name in ("ca_certs", "client_cert", "client_key")}
        # without verification urllib3 would warn at each request; `Cluster` warns once
        options = {"verify_certs": not self.insecure, "ssl_show_warn": False}
        return options | {name: value for name, value in files.items() if value is not None}

    def _check_files(self) -> None:
        for name in ("ca_certs", "client_cert", "client_key"):
            path, option = getattr(self, name), f"--{name.replace('_', '-')}"
            if path and Path(path).is_dir():
                raise UsageError(f"{option} {path}: is a folder; name the file in it")
            if path and not Path(path).is_file():
                shown = f" {path}" if is_like_path(path) else ""
                raise UsageError(f"{option}{shown}: there is no such file{'' if shown else HIDDEN}")
        if self.ca_certs or self.client_cert:
            self._check_certificates()
        if self.client_key:
            warn_if_others_can_read(Path(self.client_key), "--client-key")

    def _check_certificates(self) -> None:
        import ssl  # here, since whoever reads a file needs no certificate

        try:
            if self.ca_certs:
                ssl.create_default_context(cafile=self.ca_certs)
        except OSError as error:  # which an SSLError is, too
            raise UsageError(f"--ca-certs {self.ca_certs}: not a certificate in PEM format ({_words(error)})") from None
        try:
            if self.client_cert:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.client_cert, self.client_key, password="")
        except OSError as error:
            remedy = "give the --client-key that belongs to it, both in PEM format and without a password"
            raise UsageError(f"--client-cert {self.client_cert}: cannot be used ({_words(error)}); {remedy}") from None


def is_like_path(name: str, folder: Path = Path()) -> bool:
    """Tell whether a name of no file is one by its suffix or its folder, and not a secret out of place."""
    return Path(name).suffix.lower() in SUFFIXES or (os.sep in name and (folder / name).parent.is_dir())


def warn_if_others_can_read(file: Path, place: str) -> None:
    """Warn with InsecureWarning where any user of the machine can read a file with a secret."""
    if os.name == "posix" and file.stat().st_mode & 0o004:
        message = f"{place} {file}: every user of this machine can read it; chmod 600 {file}"
        warnings.warn(message, InsecureWarning, stacklevel=3)


def _signer(region: str, service: str) -> Any:
    try:
        from botocore.session import Session
    except ImportError:
        raise UsageError("--region: signing needs botocore; install it with pip install 'mltasks[aws]'") from None
    from opensearchpy import Urllib3AWSV4SignerAuth

    keys = Session().get_credentials()
    if keys is None:
        raise UsageError(f"--region {region}: no AWS credentials found; set AWS_PROFILE or AWS_ACCESS_KEY_ID")
    return Urllib3AWSV4SignerAuth(keys, region, service)


def _words(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
