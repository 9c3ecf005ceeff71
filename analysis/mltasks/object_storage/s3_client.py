"""Requests to S3 that pyarrow does not make: an object that is written on a condition, copied, removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mltasks.exceptions import Error, StorageError, UsageError, WriteError, in_one_line
from mltasks.object_storage.errors import describe, endpoint, html_answer
from mltasks.object_storage.filesystem import (
    CONNECT_S,
    attempts,
    check_endpoint,
    provider_settings,
    region_of,
    s3_options,
)
from mltasks.object_storage.path import ObjectPath

READ_S = 60.0
PART = 64 * 1024 * 1024  # a larger file goes up in parts of this many bytes, which become an object at the end
LOST_RACE = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class ConditionError(WriteError):
    """The object is not what it was when it was read: somebody else has written it."""


@dataclass(frozen=True)
class Version:
    """An object as it was read: its content, and the ETag that names this version of it."""

    content: bytes
    etag: str


def read_version(place: ObjectPath) -> Version | None:
    """Return an object with its ETag; None where there is none."""
    with _translate_errors(place):
        try:
            answer = _client().get_object(Bucket=place.bucket, Key=place.key)
        except Exception as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        with answer["Body"] as body:
            if "html" in answer.get("ContentType", ""):
                raise html_answer(place, "HTML")
            return Version(body.read(), answer["ETag"])


def put(place: ObjectPath, content: bytes, etag: str | None = None, *, new: bool = False) -> None:
    """Write an object in one request; raises ConditionError where its ETag is another one, or `new` and it is there."""
    condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"} if new else {}
    with _translate_errors(place):
        answer = _client().put_object(Bucket=place.bucket, Key=place.key, Body=content, **condition)
    if "ETag" not in answer:
        raise html_answer(place, "something else")


def upload(path: Path, place: ObjectPath, *, new: bool) -> None:
    """Write a file as an object, whole or not at all; raises ConditionError where `new` and it is there."""
    if path.stat().st_size <= PART:
        put(place, path.read_bytes(), new=new)
        return
    names = {"Bucket": place.bucket, "Key": place.key}
    with _translate_errors(place), path.open("rb") as file:
        client = _client()
        names["UploadId"] = client.create_multipart_upload(**names)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            while content := file.read(PART):
                number = len(parts) + 1
                tag = client.upload_part(**names, PartNumber=number, Body=content)["ETag"]
                parts.append({"PartNumber": number, "ETag": tag})
            condition = {"IfNoneMatch": "*"} if new else {}
            client.complete_multipart_upload(**names, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:  # Ctrl-C, too: parts that become no object are paid for all the same
            with suppress(Exception):
                client.abort_multipart_upload(**names)
            raise


def copy(source: ObjectPath, target: ObjectPath) -> None:
    """Copy an object within the server."""
    with _translate_errors(target):
        where = {"Bucket": source.bucket, "Key": source.key}
        _client().copy_object(Bucket=target.bucket, Key=target.key, CopySource=where)


def delete(place: ObjectPath) -> None:
    """Remove an object, if it is there."""
    with _translate_errors(place):
        _client().delete_object(Bucket=place.bucket, Key=place.key)


def _client() -> Any:
    return _make_client(provider_settings())


@lru_cache(maxsize=4)
def _make_client(settings: tuple[tuple[str, str], ...]) -> Any:
    try:
        import botocore.session
        from botocore.config import Config
    except ImportError:
        raise UsageError("s3://: to write there needs botocore; pip install 'mltasks[aws]'") from None
    environment = dict(settings)
    s3_options(environment)  # says what is wrong with an endpoint
    own = endpoint(environment)
    config = Config(
        retries={"total_max_attempts": attempts(environment), "mode": "standard"},
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        request_checksum_calculation="when_required",  # servers other than Amazon's know no other
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if own else None,
    )
    region = region_of(environment) or ("us-east-1" if own else None)
    return botocore.session.Session().create_client("s3", region, endpoint_url=own or None, config=config)


def _code(error: Exception) -> str:
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


@contextmanager
def _translate_errors(place: ObjectPath) -> Iterator[None]:
    """Turn what botocore raises into ConditionError, StorageError or UsageError."""
    try:
        yield
    except Error:
        raise
    except RecursionError as error:  # botocore follows a redirect to itself for ever
        raise _unreachable(place, "it redirects again and again") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "urllib3"):
            raise
        if _code(error) in LOST_RACE:
            raise ConditionError(f"{place}: was written by somebody else meanwhile") from error
        match type(error).__name__:
            case "ResponseParserError":
                raise html_answer(place, "what is no XML") from error
            case "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError":
                raise describe(place, "An error occurred (AccessDenied) when calling S3") from error
            case "EndpointConnectionError" | "ConnectTimeoutError" | "ConnectionClosedError" as name:
                raise _unreachable(place, name) from error
            case "SSLError" | "ProxyConnectionError" | "HTTPClientError":
                raise _unreachable(place, in_one_line(error)) from error
            case "ReadTimeoutError" | "ProtocolError" | "IncompleteReadError" | "ResponseStreamingError" as name:
                raise _unreachable(place, f"the answer was cut short: {name}") from error
            case _ if _code(error):
                raise describe(place, str(error)) from error
        check_endpoint(place)
        said = f"{place}: S3 cannot be asked ({in_one_line(error)})"
        raise StorageError(f"{said}; look at the address, AWS_PROFILE and AWS_REGION") from error


def _unreachable(place: ObjectPath, words: str) -> Error:
    return describe(place, f"AWS Error NETWORK_CONNECTION during this operation: {words}")
