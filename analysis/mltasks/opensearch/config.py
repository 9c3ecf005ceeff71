"""Clusters by name: a TOML file with a section [clusters.NAME] each; `EXAMPLE` shows one."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from mltasks.exceptions import UsageError
from mltasks.opensearch.credentials import Credentials

EXAMPLE = """\
[clusters.prod-eu]
url = "https://search.example:9200"
user = "reader"
password_env = "PROD_EU_PASSWORD"    # or password_file; token_env, token_file; client_cert and client_key
ca_certs = "/etc/ssl/prod-eu.pem"    # or region = "eu-west-1": requests are signed for AWS
"""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cluster as the file describes it; relative paths are relative to the file."""

    url: str
    user: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    token_file: str | None = None
    token_env: str | None = None
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False
    region: str | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    clusters: dict[str, Section] = {}


def path(given: str | None = None) -> Path | None:
    """Return the file: the given one, else MLTASKS_CONFIG, ./mltasks.toml, or mltasks/config.toml in the user's own.

    Raises UsageError where one is named that is not there; None where none is.
    """
    named = given or os.environ.get("MLTASKS_CONFIG")
    if named:
        if not Path(named).is_file():
            raise UsageError(f"--config {named}: there is no such file")
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    places = (Path("mltasks.toml"), Path(home) / "mltasks" / "config.toml")
    return next((place for place in places if place.is_file()), None)


def clusters(given: str | None = None) -> dict[str, Section]:
    """Return the configured clusters by name; raises UsageError for a file that cannot be read."""
    file = path(given)
    if file is None:
        return {}
    try:
        return msgspec.toml.decode(file.read_bytes(), type=File).clusters
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {getattr(error, 'strerror', None) or error}; see mltasks doctor --help") from None


def credentials(name: str, section: Section, file: Path) -> Credentials:
    """Return the credentials of a configured cluster; raises UsageError where a secret or a file is missing."""
    place = f"{file} [clusters.{name}]"

    def beside(relative: str | None) -> str | None:
        return None if relative is None else str(file.parent / relative)

    return Credentials(
        user=section.user,
        password=_secret(place, "password", beside(section.password_file), section.password_env),
        token=_secret(place, "token", beside(section.token_file), section.token_env),
        ca_certs=beside(section.ca_certs),
        client_cert=beside(section.client_cert),
        client_key=beside(section.client_key),
        insecure=section.insecure,
        aws_region=section.region,
    )


def _secret(place: str, kind: str, file: str | None, variable: str | None) -> str | None:
    if file is not None:
        return read_secret(Path(file), f"{place} {kind}_file")
    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"{place}: {kind}_env {variable} is not set in the environment")
    return value


def read_secret(file: Path, place: str) -> str:
    """Return the secret in a file, without the line break at its end; raises UsageError naming `place`."""
    try:
        found = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a text"  # never what is in it
        raise UsageError(f"{place} {file}: cannot be read: {why}") from None
    if not found:
        raise UsageError(f"{place} {file}: is empty")
    return found
