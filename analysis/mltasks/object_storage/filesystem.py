"""pyarrow's file systems, as the environment describes them: AWS_ENDPOINT_URL, AWS_REGION, AWS_PROFILE and such."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

import pyarrow.fs as pafs

from mltasks.exceptions import UsageError
from mltasks.object_storage.errors import (
    KEYS,
    Server,
    endpoint,
    google_emulator,
    has_google_file,
    html_answer,
    no_credentials,
    s3_server,
)
from mltasks.object_storage.path import ObjectPath, parse_url

ATTEMPTS = 3  # of a request: what is not there after these seconds is said, not waited for
CONNECT_S = 3.0
GIVE_UP = timedelta(seconds=4)  # of Google's client, which else would try for a quarter of an hour
ASK_AZURE = """
import sys, pyarrow.fs
filesystem, path = pyarrow.fs.FileSystem.from_uri(sys.argv[1])
filesystem.get_file_info(path)
"""
OF_PROVIDERS = ("AWS_", "GOOGLE_", "GCE_", "STORAGE_EMULATOR_", "AZURE_", "CLOUD_", "HTTP", "HOME")
METADATA = "metadata.google.internal"  # answers on Google's machines, with the credentials of their role


def open_filesystem(place: ObjectPath) -> pafs.FileSystem:
    """Return the file system of a place; another one when the environment has changed. Raises UsageError."""
    return _open(place.scheme, place.bucket, provider_settings())


def provider_settings() -> tuple[tuple[str, str], ...]:
    """Return what the environment says to clients of object storage, to tell when it has changed."""
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(OF_PROVIDERS)))


@lru_cache(maxsize=16)
def _open(scheme: str, bucket: str, settings: tuple[tuple[str, str], ...]) -> pafs.FileSystem:
    try:
        if scheme == "gs":
            return _open_google(f"{scheme}://{bucket}", dict(settings))
        return _open_azure(f"{scheme}://{bucket}", settings) if scheme.startswith("abfs") else _open_s3(settings)
    except (ImportError, NotImplementedError):  # pyarrow is built with some of its file systems, or with all
        raise UsageError(
            f"{scheme}://{bucket}: the pyarrow that is installed was built without {scheme}://; "
            "pip install --force-reinstall pyarrow, which comes with it"
        ) from None


def _open_google(url: str, environment: Mapping[str, str]) -> pafs.FileSystem:
    make = partial(pafs.GcsFileSystem, retry_time_limit=GIVE_UP)  # first, since not every pyarrow has it
    if options := google_options(environment):
        _check_answer(
            parse_url(url), f"{google_emulator(environment).address}/storage/v1/b/{urlsplit(url).netloc}", "json"
        )
        return make(**options, anonymous=True)
    if not has_google_file(environment):  # Google's client would look for a machine of Google's again and again
        try:
            socket.create_connection((environment.get("GCE_METADATA_ROOT", METADATA), 80), CONNECT_S).close()
        except OSError:
            raise no_credentials(url, KEYS["gs"]) from None
    return make()


def google_options(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where the emulator is that the environment names; it takes no credentials, and gets none.

    Raises UsageError for what is no address.
    """
    url, name = google_emulator(environment)
    return _address(url, name, "http://localhost:4443") if url else {}


def _open_azure(url: str, settings: tuple[tuple[str, str], ...]) -> pafs.FileSystem:
    if options := azure_options(url, dict(settings)):
        return pafs.AzureFileSystem(**options)
    try:
        filesystem = pafs.FileSystem.from_uri(url)[0]
    except ValueError as error:
        raise UsageError(
            f"{url}: {error}; after the container and an '@' comes ACCOUNT.dfs.core.windows.net"
        ) from error
    # without credentials Azure's own client ends the process, whatever Python would catch: another process tries it
    trial = subprocess.run([sys.executable, "-c", ASK_AZURE, url], capture_output=True, check=False)
    if trial.returncode not in (0, 1):
        raise no_credentials(url, KEYS["abfs"])
    return filesystem


def azure_options(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the account of a URL with the key that the environment has of it, and nothing where it has none.

    AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, as Azure's own tools take them.
    """
    parts = [part.partition("=") for part in environment.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";")]
    words = {name.strip(): value.strip() for name, _, value in parts}
    account = words.get("AccountName") or environment.get("AZURE_STORAGE_ACCOUNT", "")
    key = words.get("AccountKey") or environment.get("AZURE_STORAGE_KEY", "")
    own = urlsplit(url).netloc.partition("@")[2].partition(".")[0]
    if not account or not key or (own and own != account):
        return {}
    options = {"account_name": account, "account_key": key}
    blobs = urlsplit(words.get("BlobEndpoint", ""))
    if blobs.netloc and blobs.hostname != f"{account}.blob.core.windows.net":  # an emulator, or another cloud
        for service in ("blob", "dfs"):
            options |= {f"{service}_storage_authority": blobs.netloc, f"{service}_storage_scheme": blobs.scheme}
    return options


def _open_s3(settings: tuple[tuple[str, str], ...]) -> pafs.FileSystem:
    return pafs.S3FileSystem(
        **s3_options(dict(settings)),
        connect_timeout=CONNECT_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=attempts(dict(settings))),
    )


def s3_options(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what pyarrow does not take from the environment by itself; raises UsageError for a bad endpoint."""
    options: dict[str, Any] = {}
    if region := region_of(environment):
        options["region"] = region
    if bundle := environment.get("AWS_CA_BUNDLE"):
        options["tls_ca_file_path"] = bundle
    if url := endpoint(environment):
        options |= _address(url, "AWS_ENDPOINT_URL", "https://s3.example.org:9000")
        options["region"] = region or "us-east-1"
    return options


def _address(url: str, name: str, example: str) -> dict[str, str]:
    """Return the address of an endpoint as pyarrow takes it; raises UsageError that names the variable."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or parts.path.strip("/"):
        raise UsageError(f"{name}: is no address; say for instance {example}")
    return {"scheme": parts.scheme, "endpoint_override": parts.netloc}


def attempts(environment: Mapping[str, str]) -> int:
    """Return how often a request is tried; raises UsageError for what is no number."""
    text = environment.get("AWS_MAX_ATTEMPTS") or str(ATTEMPTS)
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"AWS_MAX_ATTEMPTS: {text!r} is no number of attempts; say for instance 3")
    return int(text)


def region_of(environment: Mapping[str, str]) -> str | None:
    """Return the region that the environment names."""
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")


def check_endpoint(place: ObjectPath, server: Server | None = None) -> None:
    """Raise StorageError where a named endpoint is no S3: what pyarrow takes for an empty list may be a web page."""
    server = server or s3_server()
    if place.scheme == "s3" and server.address:
        _check_answer(place, f"{server.address.rstrip('/')}/{place.bucket}", "xml", server)


def _check_answer(place: ObjectPath, url: str, language: str, server: Server | None = None) -> None:
    """Raise StorageError where a server answers in another language: it is something else.

    Asked without credentials, S3 refuses in XML, an emulator of Google's answers in JSON.
    """
    import urllib3

    bundle = os.environ.get("AWS_CA_BUNDLE")  # None: the authorities of this machine, as for all other requests
    with urllib3.PoolManager(retries=False, timeout=CONNECT_S, ca_certs=bundle) as pool:
        try:
            answer = pool.request("GET", url, preload_content=False)
        except urllib3.exceptions.HTTPError:
            return
        kind = answer.headers.get("content-type", "").partition(";")[0].lower()
        answer.release_conn()
    if kind and not kind.endswith(language):
        raise html_answer(place, "HTML" if "html" in kind else kind[:40], server)
