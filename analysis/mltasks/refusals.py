"""What a cluster's refusal means: status, body or failed handshake -> one line with place, words and remedy."""

from __future__ import annotations

import json
import ssl
from typing import Any

import urllib3

from mltasks.errors import ClusterError, Error, UsageError
from mltasks.parser import excerpt
from mltasks.transport import Answer, DeadlineError, NoAnswerError

TLS = (  # what OpenSSL says, and what to do
    ("WRONG_VERSION_NUMBER", "the port does not speak TLS; write http:// instead of https://"),
    ("HTTP_REQUEST", "the port does not speak TLS; write http:// instead of https://"),
    ("certificate has expired", "the server's certificate has expired; it must be renewed"),
    ("Hostname mismatch", "the certificate is for another host name; use that name in the URL"),
    ("IP address mismatch", "the certificate is for another address; use the host name in the URL"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate is signed by an unknown authority; give it with --ca-certs",
    ),
    (
        "CERTIFICATE_UNKNOWN",
        "the server does not accept the client certificate (expired, or of another authority)",
    ),
    ("EOF occurred", "the server broke off the handshake; it may not accept the client certificate"),
)


def no_answer(url: str, error: NoAnswerError) -> ClusterError:
    """Return the error for a request that got no answer."""
    cause: BaseException = error.cause
    words = str(cause)
    if isinstance(cause, urllib3.exceptions.SSLError | ssl.SSLError):
        remedy = next((remedy for sign, remedy in TLS if sign in words), f"TLS failed: {words}")
        return ClusterError(f"{url}: {remedy}")
    if isinstance(cause, DeadlineError):
        return ClusterError(f"{url}: {words} before the reading was; raise --deadline")
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return ClusterError(f"{url}: there is no host of this name; check the URL")
    if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
        return ClusterError(f"{url}: no answer in time; raise --timeout, or look whether the cluster is overloaded")
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return ClusterError(f"{url}: nothing answers there ({_tail(words)}); check host and port")
    if "Remote end closed connection without response" in words and url.startswith("http://"):
        return ClusterError(f"{url}: the connection is closed without an answer; the port may want https://")
    return ClusterError(f"{url}: the connection broke ({_tail(words)}); try again")


def refused(url: str, answer: Answer) -> Error:
    """Return the error for an answer that is not one of success."""
    words, kind = server_words(answer.body)
    where = f"{url} answers {answer.status}"
    if answer.status == 401:
        return ClusterError(
            f"{where}: not logged in or wrong credentials; give --user, and the password by MLTASKS_PASSWORD"
        )
    if answer.status == 403:
        if "no permissions for []" in words:
            remedy = (
                "plugins.security.system_indices.permission.enabled closes this endpoint; give the user's role "
                "the index permission system:admin/system_index on .plugins-ml-task"
            )
        else:
            remedy = "give the user the role ml_read_access"
        return ClusterError(f"{where}: {words}; {remedy}")
    if answer.status in (400, 404, 405) and "no handler found" in words:
        return ClusterError(f"{where}: {words}; ML Commons is not installed there, or the URL has a path too many")
    if answer.status == 400 and kind:
        return UsageError(f"{where}: the query is rejected: {words}")
    if answer.status in (429, 502, 503, 504):
        return ClusterError(f"{where} again and again: {words}; the cluster is overloaded or starting, try later")
    if answer.status in (408, 413) or answer.too_large:
        return ClusterError(f"{where} even for the smallest page: {words}; the cluster is overloaded, try later")
    if 300 <= answer.status < 400:
        return ClusterError(f"{where}: it leads to {answer.headers.get('location', 'elsewhere')!r}; use that URL")
    return ClusterError(f"{where}: {words}")


def not_json(url: str, answer: Answer) -> ClusterError:
    """Return the error for an answer of success that is no `_search` answer, such as a proxy's page."""
    kind = answer.headers.get("content-type", "no content type")
    return ClusterError(
        f"{url} answers with something else ({kind}: {excerpt(answer.body, 60)}); is this the URL of an OpenSearch "
        "cluster, without a proxy's login page in between?"
    )


def server_words(body: bytes) -> tuple[str, str]:
    """Return the server's own reason and the type of its error; the type is empty where there is none.

    Errors come as objects or as strings, in JSON or in plain text. The innermost cause says most.
    """
    try:
        error: Any = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return excerpt(body) or "(no text)", ""
    if not isinstance(error, dict):
        return str(error)[:300], ""
    inner = error
    for root in error.get("root_cause") or ():
        inner = root
    reason = inner.get("reason") or error.get("reason") or inner.get("type") or "no reason given"
    return " ".join(str(reason).split())[:300], str(inner.get("type") or error.get("type") or "error")


def _tail(words: str) -> str:
    return words.rsplit(": ", 1)[-1].strip("()'\" ")
