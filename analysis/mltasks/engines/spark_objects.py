"""Object storage as Spark reads it: Hadoop's client of S3, told what the environment says, and what that one says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from mltasks.exceptions import DataError, Error, StorageError
from mltasks.object_storage import errors, filesystem
from mltasks.object_storage.errors import Server
from mltasks.object_storage.path import ObjectPath, parse_url

PREFIX = "spark.hadoop.fs.s3a."
PROFILE = "org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider"
CODES = {  # what Hadoop's client and Amazon's library in it say -> the code of S3 that stands for it
    r"NoSuchBucket|UnknownStoreException|Bucket does not exist": "NO_SUCH_BUCKET",
    r"NoAwsCredentials|No AWS Credentials|Unable to load credentials": "ACCESS_DENIED",
    r"InvalidAccessKeyId": "INVALID_ACCESS_KEY_ID",
    r"SignatureDoesNotMatch": "SIGNATURE_DOES_NOT_MATCH",
    r"ExpiredToken|InvalidToken|TokenRefreshRequired": "EXPIRED_TOKEN",
    r"Status Code: 40[13]|AccessDenied": "ACCESS_DENIED",
    r"Status Code: 30[0-9]|PermanentRedirect|AWSRedirectException": "PERMANENT_REDIRECT",
    r"Unable to execute HTTP request|UnknownHost|ConnectException|ConnectTimeout|SocketTimeout": "NETWORK_CONNECTION",
}
OF_KEYS = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "EXPIRED_TOKEN")
OTHER = re.compile(r"AWS\w*Exception|awssdk|Status Code: \d+")
URL = re.compile(r"s3[an]?://[^\s:,'\"()\[\]]+")
LACKING = re.compile(r"PATH_NOT_FOUND|FileNotFoundException|FAILED_READ_FILE.FILE_NOT_EXIST|No such file or directory")
DAMAGED = re.compile(r"CANNOT_READ_FILE_FOOTER|is not a Parquet file|Could not read footer|FAILED_READ_FILE")


def options(session: Any, place: ObjectPath, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a session has to tell Hadoop's client of S3, but for what its own settings say.

    By itself that one takes keys from the environment, and not where another server than Amazon's is; and it would
    try for minutes. Raises UsageError where the environment makes no sense, StorageError where the session's own
    endpoint is no S3.
    """
    if server := _find_server(session):
        filesystem.check_endpoint(place, server)
    attempts = str(filesystem.attempts(environment))
    own = {
        "attempts.maximum": attempts,
        "retry.limit": attempts,
        "retry.interval": "100ms",
        "connection.establish.timeout": f"{filesystem.CONNECT_S:g}s",
    }
    if filesystem.s3_options(environment).get("endpoint_override"):
        own |= {
            "endpoint": errors.endpoint(environment),
            "endpoint.region": filesystem.region_of(environment) or "us-east-1",
            "path.style.access": "true",
        }
    if environment.get("AWS_PROFILE") and not environment.get("AWS_ACCESS_KEY_ID"):
        own["aws.credentials.provider"] = PROFILE
    return {f"fs.s3a.{name}": value for name, value in own.items() if _read_setting(session, name) is None}


def _read_setting(session: Any, name: str) -> str | None:
    value: str | None = session.conf.get(PREFIX + name, None) if session is not None else None
    return value


def _find_server(session: Any) -> Server | None:
    """Return where a session's own settings say that S3 is; None where they do not."""
    address = _read_setting(session, "endpoint")
    if not address:
        return None
    is_plain = _read_setting(session, "connection.ssl.enabled") == "false"
    return Server(address if "://" in address else f"http{'' if is_plain else 's'}://{address}", f"{PREFIX}endpoint")


def describe(text: str, session: Any = None) -> Error | None:
    """Return the error for what Spark says of object storage, in the words of the other engines; None where of none."""
    url = URL.search(text)
    if not url:
        return None
    place = parse_url(url[0].rstrip("."))
    for pattern, code in CODES.items():
        if match := re.search(pattern, text):
            if code in OF_KEYS and _read_setting(session, "access.key"):
                return StorageError(f"{place}: Spark's own key is refused; look at {PREFIX}access.key and secret.key")
            return _describe(place, code, text[match.start() :], session)
    if LACKING.search(text):
        return DataError(f"{place}: is missing; publish the store again, or look at the prefix")
    if DAMAGED.search(text):
        return DataError(f"{place}: not a readable Parquet file; is it damaged? Of a store, mltasks verify tells more")
    return _describe(place, "UNKNOWN", text, session) if OTHER.search(text) else None


def _describe(place: ObjectPath, code: str, text: str, session: Any) -> Error:
    words = text.splitlines()[0].rpartition("Exception: ")[2]
    return errors.describe(place, f"AWS Error {code} during this operation: {words}", _find_server(session))
