"""Clusters by name: a TOML file with a section [clusters.NAME] each; `EXAMPLE` shows one.

The user's own file comes first. One in the current folder counts only where nobody else can have written it: whoever
names a cluster there names the server that gets the user's password.
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
import warnings
from contextlib import suppress
from pathlib import Path

import msgspec

from mltasks.exceptions import ConfigNotice as ConfigNotice
from mltasks.exceptions import UsageError
from mltasks.opensearch.credentials import HIDDEN, Credentials, is_like_path, warn_if_others_can_read

EXAMPLE = """\
[clusters.prod-eu]
url = "https://search.example:9200"
user = "reader"
password_env = "PROD_EU_PASSWORD"   # or password_file, token_env, token_file
ca_certs = "/etc/ssl/prod-eu.pem"   # also client_cert, client_key, tenant_id

[clusters.aws]
url = "https://search-prod.eu-west-1.es.amazonaws.com"
region = "eu-west-1"                # requests are signed; service = "aoss"
"""
HERE = Path("mltasks.toml")
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")  # what looks like a variable's name, and not like a password


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
    service: str | None = None
    tenant_id: str | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    clusters: dict[str, Section] = {}


def path(given: str | None = None) -> Path | None:
    """Return the file that is looked into first; None where there is none. Raises UsageError as `clusters` does."""
    return next(iter(_paths(given)), None)


def suggest_cluster(word: str, path: str | None = None) -> str:
    """Return a question for the configured cluster that a word is near to, or nothing."""
    names = {name.lower(): name for name in clusters(path)}
    near = difflib.get_close_matches(word.lower(), names, 1)
    return f"did you mean {names[near[0]]}? " if near else ""


def clusters(given: str | None = None) -> dict[str, Section]:
    """Return the configured clusters by name; raises UsageError for a file that is not there or cannot be read."""
    sections: dict[str, Section] = {}
    for file in _paths(given):
        sections = _read(file) | sections
    return sections


def find(name: str, given: str | None = None) -> tuple[Section, Path] | None:
    """Return a configured cluster and the file that describes it; None where no file does.

    The file is the given one, else MLTASKS_CONFIG, else mltasks/config.toml in the user's own folder of settings and
    after it mltasks.toml in the current folder, where nobody else can write to it. Warns with ConfigNotice.
    """
    for file in _paths(given):
        if section := _read(file).get(name):
            by_environment = os.environ.get("MLTASKS_CONFIG")
            if given in (None, by_environment) and (by_environment or file == HERE):
                warnings.warn(f"clusters have their names from {file.absolute()}", ConfigNotice, stacklevel=3)
            return section, file
    return None


def check_file(given: str) -> None:
    """Raise UsageError for a named file that is not there."""
    if not Path(given).is_file():
        raise UsageError(f"--config {given}: there is no such file")


def _paths(given: str | None) -> list[Path]:
    named = given or os.environ.get("MLTASKS_CONFIG")
    if named:
        check_file(named)
        return [Path(named)]
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    own = Path(home) / "mltasks" / "config.toml"
    files = [own] if own.is_file() else []
    if not HERE.is_file() or (files and own.samefile(HERE)):
        return files
    if doubt := _why_untrusted(HERE):
        message = f"{HERE.absolute()} is not used: {doubt}; to use it all the same, give --config {HERE}"
        warnings.warn(message, ConfigNotice, stacklevel=1)  # said once, whoever asks
        return files
    return [*files, HERE]


def _why_untrusted(file: Path) -> str | None:
    """Return why somebody else may have written a file; None where only the user can have."""
    if not hasattr(os, "geteuid"):
        return None
    target = file.resolve()
    for place in dict.fromkeys((file.absolute().parent, target.parent, target)):
        status = place.stat()
        if status.st_uid != os.geteuid():
            return f"{place} belongs to another user"
        if status.st_mode & 0o022:
            return f"others can write to {place} (chmod go-w keeps them out)"
    return None


def _read(file: Path) -> dict[str, Section]:
    try:
        return msgspec.toml.decode(file.read_bytes().removeprefix(codecs.BOM_UTF8), type=File).clusters
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {getattr(error, 'strerror', None) or error}; see mltasks doctor --help") from None


def credentials(name: str, section: Section, file: Path) -> Credentials:
    """Return the credentials of a configured cluster; raises UsageError where a secret or a file is missing."""
    place = f"{file} [clusters.{name}]"

    def resolve_path(option: str, relative: str | None) -> str | None:
        if relative and not (file.parent / relative).exists() and not is_like_path(relative, file.parent):
            raise UsageError(f"{place} {option}: there is no such file{HIDDEN}")
        return None if relative is None else str(file.parent / relative)

    return Credentials(
        user=section.user,
        password=_secret(file, place, "password", section.password_file, section.password_env),
        token=_secret(file, place, "token", section.token_file, section.token_env),
        ca_certs=resolve_path("ca_certs", section.ca_certs),
        client_cert=resolve_path("client_cert", section.client_cert),
        client_key=resolve_path("client_key", section.client_key),
        insecure=section.insecure,
        aws_region=section.region,
        aws_service=section.service,
        tenant_id=section.tenant_id,
    )


def _secret(config: Path, place: str, kind: str, file: str | None, variable: str | None) -> str | None:
    if file is not None:
        return read_secret(config.parent, file, f"{place} {kind}_file")
    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:  # what does not look like a name may be the password itself
        shown = f"{kind}_env {variable}" if VARIABLE.fullmatch(variable) else f"the variable that {kind}_env names"
        raise UsageError(f"{place}: {shown} is not set in the environment")
    return value


def read_secret(folder: Path, name: str, place: str) -> str:
    """Return the secret in a file, without the line break at its end; raises UsageError naming `place`."""
    file = folder / name
    try:
        content = file.read_bytes()
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell writes it
        secret = content.decode("utf-16" if utf16 else "utf-8-sig").strip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a text"  # never what is in it
        raise UsageError(f"{place}{_path_for_message(file, name)}: cannot be read: {why}") from None
    if not secret:
        raise UsageError(f"{place} {file}: is empty")
    if "\n" in secret or "\r" in secret:
        raise UsageError(f"{place} {file}: has several lines; the secret must stand alone in it")
    warn_if_others_can_read(file, place)
    return secret


def _path_for_message(file: Path, name: str) -> str:
    """Return the path for a message; what is no path on this machine may be the secret itself."""
    with suppress(OSError):
        if file.exists() or (os.sep in name and file.parent.is_dir()):
            return f" {file}"
    return " (not repeated here, as it may be the secret itself)"
