"""What a file system of pyarrow, or botocore, says of object storage: one line with place, value and remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

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


@contextmanager
def translate_errors(place: ObjectPath) -> Iterator[None]:
    """Turn what pyarrow or botocore raises about a place into a StorageError, UsageError or FileNotFoundError."""
    try:
        yield
    except Error:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such object", str(place)) from None
    except (OSError, ValueError) as error:  # Arrow's errors are one of both
        raise describe(place, str(error)) from error


def describe(place: ObjectPath, message: str) -> Error:
    """Return the error to raise for what a library says of a place; it holds no secret."""
    message = re.sub(r"\s*\(Request ID: [^)]*\)", "", " ".join(message.split()))
    code, at = _code(message), f" at {endpoint()}" if place.scheme == "s3" and endpoint() else ""
    words = DETAIL.split(message)[-1].strip()[:160].rstrip(".")
    keys = KEYS[place.scheme.replace("abfss", "abfs")]
    if place.scheme == "gs" and "OAuth2 access token" in message:
        return no_credentials(place, keys)
    if code == "nosuchbucket":
        return UsageError(
            f"{place}: there is no bucket {place.bucket!r}{at}; look at its name, AWS_ENDPOINT_URL and AWS_REGION"
        )
    if code in REFUSED:
        return StorageError(f"{place}: the credentials are refused{at} ({words}); set {keys}")
    if code in DENIED:
        who = "the credentials in use have no right to this" if has_credentials() else "there are no credentials"
        return StorageError(f"{place}: access is denied{at}: {who}; set {keys}, or ask for the right to list and read")
    if code in MOVED:
        return StorageError(f"{place}: the bucket is in another region; set AWS_REGION to it")
    if code == "networkconnection":
        return StorageError(f"{place}: cannot be reached{at} ({words}); look at AWS_ENDPOINT_URL and the network")
    return StorageError(f"{place}: cannot be read or written{at} ({words}); try again, or ask who runs it")


def no_credentials(place: object, keys: str) -> StorageError:
    """Return the error for a client of Google's or Azure's that finds no credentials."""
    return StorageError(f"{place}: there are no credentials; set {keys}")


def html_answer(place: ObjectPath, kind: str) -> StorageError:
    """Return the error for an endpoint that answers with something else than S3 does."""
    return StorageError(f"{place}: {endpoint()} answers with {kind}, so it is no S3; look at AWS_ENDPOINT_URL")


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
