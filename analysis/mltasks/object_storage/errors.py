"""What a file system of pyarrow, or botocore, says of object storage: one line with place, value and remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mltasks.exceptions import Error, StorageError, UsageError

if TYPE_CHECKING:
    from mltasks.object_storage.path import ObjectPath

KEYS = {  # of a scheme: what to set
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    "abfs": "AZURE_STORAGE_CONNECTION_STRING, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or az login",
}
CODE = re.compile(r"AWS Error (\w+)|An error occurred \((\w+)\)")
EXCEPTION = re.compile(r"ExceptionName: (\w+)")
DETAIL = re.compile(r"(?:operation: |Message: |Details: )+")
REFUSED = {  # codes, without underscores and in lower case, of credentials that are not those of anybody
    *("invalidaccesskeyid", "signaturedoesnotmatch", "expiredtoken", "invalidtoken", "tokenrefreshrequired"),
    *("unrecognizedclient", "invalidclienttokenid", "missingauthenticationtoken", "xadminusernotfound"),
    *("authorizationheadermalformed", "requestexpired", "invalidsignature"),
}
DENIED = {"accessdenied", "forbidden", "403", "allaccessdisabled", "accountproblem"}
MOVED = {"permanentredirect", "301", "redirect", "illegallocationconstraintexception"}
GOOGLE = re.compile(r"google::cloud::Status\((\w+): (?:.*?with a last message of )?(.*?)(?: error_info=|$)")
NO_TOKEN = "OAuth2 access token"  # Google's client has not got one by the credentials that it has found, or by none
EMULATORS = ("STORAGE_EMULATOR_HOST", "CLOUD_STORAGE_EMULATOR_ENDPOINT")  # as Google's own tools have it, and pyarrow
REASON = "The underlying error message was: "


class Server(NamedTuple):
    """Where an S3 is, and the setting that says so."""

    address: str
    setting: str


@contextmanager
def translate_errors(place: ObjectPath) -> Iterator[None]:
    """Turn what pyarrow or botocore raises about a place into a StorageError, UsageError or FileNotFoundError."""
    try:
        yield
    except Error:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such object", str(place)) from None
    except Exception as error:
        if not isinstance(error, OSError | ValueError) and type(error).__module__ != "pyarrow.lib":
            raise
        raise describe(place, str(error)) from error


def describe(place: ObjectPath, message: str, server: Server | None = None) -> Error:
    """Return the error to raise for what a library says of a place; it holds no secret. `server`: if it is not ours.

    Raises StorageError where what S3 would say in a code is said by something else.
    """
    message = re.sub(r"\s*\(Request ID: [^)]*\)", "", " ".join(message.split()))
    code, at = _code(message), ""
    server = server or s3_server()
    if place.scheme == "s3" and server.address:
        at = f" at {server.address}"
    words = DETAIL.split(message)[-1].strip()[:160].rstrip(".")
    keys = KEYS[place.scheme.replace("abfss", "abfs")]
    if place.scheme == "gs" and (google := GOOGLE.search(message)):
        return _describe_google(place, google[1], google[2])
    if code == "nosuchbucket":
        return no_bucket(place, server)
    if code in REFUSED:
        return StorageError(f"{place}: the credentials are refused{at} ({words}); set {keys}")
    if code in MOVED:
        return StorageError(f"{place}: the bucket is in another region; set AWS_REGION to it")
    if code == "networkconnection":
        return StorageError(f"{place}: cannot be reached{at} ({words}); look at {server.setting} and the network")
    from mltasks.object_storage.filesystem import check_endpoint  # here, since it says by this module what is wrong

    check_endpoint(place, server)  # any web server denies, fails, and has no such thing
    if code in DENIED:
        who = "the credentials in use have no right to this" if has_credentials() else "there are no credentials"
        return StorageError(f"{place}: access is denied{at}: {who}; set {keys}, or ask for the right to list and read")
    return StorageError(f"{place}: cannot be read or written{at} ({words}); try again, or ask who runs it")


def _describe_google(place: ObjectPath, code: str, words: str) -> Error:
    """Return the error for what Google's client says of a place: a code of gRPC, and a sentence."""
    emulator = google_emulator().address
    at = f" at {emulator}" if emulator else ""
    keys, words = f"set {KEYS['gs']}", words.rstrip(". )")
    if NO_TOKEN in words:
        if not has_google_file():
            return no_credentials(place, KEYS["gs"])
        return StorageError(f"{place}: the credentials cannot be used ({words.rpartition(REASON)[2][:160]}); {keys}")
    why = f"({words[:160]})"
    match code:
        case "UNAUTHENTICATED":
            return StorageError(f"{place}: the credentials are refused{at} {why}; {keys}")
        case "PERMISSION_DENIED":
            return StorageError(f"{place}: access is denied{at} {why}; {keys}, or ask for the right to list and read")
        case "UNAVAILABLE" | "DEADLINE_EXCEEDED" if "CURL" in words:
            return StorageError(f"{place}: cannot be reached{at} {why}; look at the network, or try again")
        case _:
            return StorageError(f"{place}: cannot be read or written{at} {why}; try again, or ask who runs it")


def no_bucket(place: ObjectPath, server: Server | None = None) -> UsageError:
    """Return the error for a bucket, or a container of Azure's, that is not there."""
    at, look = "", ""
    if place.scheme == "s3":
        server = server or s3_server()
        at, look = server.address, f", {server.setting} and AWS_REGION"
    elif place.scheme == "gs":
        at = google_emulator().address
    what = "container" if place.scheme.startswith("abfs") else "bucket"
    return UsageError(f"{place}: there is no {what} {place.bucket!r}{' at ' if at else ''}{at}; look at its name{look}")


def no_credentials(place: object, keys: str) -> StorageError:
    """Return the error for a client of Google's or Azure's that finds no credentials."""
    return StorageError(f"{place}: there are no credentials; set {keys}")


def html_answer(place: ObjectPath, kind: str, server: Server | None = None) -> StorageError:
    """Return the error for an endpoint that answers with something else than S3, or Google's storage, does."""
    what = "S3"
    if place.scheme == "gs":
        what, server = "Google Cloud Storage", google_emulator()
    server = server or s3_server()
    return StorageError(f"{place}: {server.address} answers with {kind}, so it is no {what}; look at {server.setting}")


def _code(message: str) -> str:
    match = CODE.search(message)
    code = (match[1] or match[2]) if match else ""
    if code == "UNKNOWN":
        exception, status = EXCEPTION.search(message), re.search(r"HTTP status (\d+)", message)
        code = exception[1] if exception else status[1] if status else code
    return code.replace("_", "").lower()


def endpoint(environment: Mapping[str, str] = os.environ) -> str:
    """Return the endpoint of S3 that the environment names; empty: Amazon's own."""
    return environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""


def has_credentials(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment names credentials of S3; others come from a profile or the machine."""
    return bool(environment.get("AWS_ACCESS_KEY_ID") or environment.get("AWS_PROFILE"))


def s3_server() -> Server:
    """Return the endpoint that the environment names for S3; its address is empty where that is Amazon's."""
    return Server(endpoint(), "AWS_ENDPOINT_URL")


def google_emulator(environment: Mapping[str, str] = os.environ) -> Server:
    """Return the emulator of Google's storage that the environment names; its address is empty where it is Google's."""
    name = next((name for name in EMULATORS if environment.get(name)), EMULATORS[0])
    url = environment.get(name, "")
    return Server(f"http://{url}" if url and "://" not in url else url.rstrip("/"), name)


def has_google_file(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a file with credentials of Google is named, or is where gcloud puts it."""
    own = Path(environment.get("HOME", "/"), ".config", "gcloud", "application_default_credentials.json")
    return bool(environment.get("GOOGLE_APPLICATION_CREDENTIALS")) or own.exists()
