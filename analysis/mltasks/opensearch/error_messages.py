"""What a cluster's refusal means: status, body or failed handshake -> one line with place, words and remedy."""

from __future__ import annotations

import json
import re
import ssl
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mltasks.exceptions import ClusterError
from mltasks.opensearch.credentials import Credentials
from mltasks.opensearch.lenient_json import excerpt
from mltasks.opensearch.response import DeadlineError, NoResponseError, Response

SIGNATURE = ("signature", "security token", "credential should be scoped")  # of AWS, when signing went wrong
LOGIN = re.compile(r"log-?in|sign-?in|saml|oauth|openid|/sso|sso\.|/auth", re.I)
DASHBOARDS = {"osd-name", "kbn-name"}  # headers of its answers
IS_DASHBOARDS = "this is OpenSearch Dashboards: give the URL of OpenSearch, port 9200"
AWS_ACTION = re.compile(r"perform: (es|aoss):")
TENANT = re.compile(r"\btenant.?id\b", re.I)  # and not "requestedTenant", which each refusal names
REJECTED = "give a valid one with --client-cert and --client-key"
TLS = (  # what OpenSSL says, and what to do
    ("WRONG_VERSION_NUMBER", "the port does not speak TLS; write http:// instead of https://"),
    ("HTTP_REQUEST", "the port does not speak TLS; write http:// instead of https://"),
    ("certificate has expired", "the server's certificate has expired; it must be renewed"),
    ("certificate is not yet valid", "the server's certificate is not valid yet; look at the clocks of both machines"),
    ("Hostname mismatch", "the certificate is for another host name; use that name in the URL"),
    ("IP address mismatch", "the certificate is for another address; use the host name in the URL"),
    ("too weak", "a key or signature in the server's certificates is too weak to be trusted; they must be made anew"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate is signed by an unknown authority; give it with --ca-certs",
    ),
    (
        "CERTIFICATE_REQUIRED",
        "the server wants a client certificate; give one with --client-cert and --client-key",
    ),
    (
        "HANDSHAKE_FAILURE",
        "the server breaks off the handshake; it may want a client certificate, see --client-cert and --client-key",
    ),
    ("ALERT_CERTIFICATE_EXPIRED", f"the client certificate has expired; {REJECTED}"),
    ("ALERT_UNKNOWN_CA", f"the client certificate is signed by an authority that the server does not know; {REJECTED}"),
    ("ALERT_BAD_CERTIFICATE", f"the server does not accept the client certificate; {REJECTED}"),
    (  # what Java's TLS says of each of these
        "ALERT_CERTIFICATE_UNKNOWN",
        f"the server does not accept the client certificate (expired, or of another authority); {REJECTED}",
    ),
    (
        "EOF occurred",
        "the server broke off the handshake; if you gave --client-cert, it may have expired or be of another authority",
    ),
)


class RejectedError(ClusterError):
    """The cluster does not take what it is asked; whoever gave a query of his own may have written it wrong."""


def error_from_exception(url: str, error: NoResponseError) -> ClusterError:
    """Return the error for a request that got no answer."""
    import urllib3  # only whoever asked a cluster comes here

    cause: BaseException = error.cause
    words = str(cause)
    if isinstance(cause, urllib3.exceptions.SSLError | ssl.SSLError):
        remedy = next((remedy for sign, remedy in TLS if sign in words), f"TLS failed: {words}")
        return ClusterError(f"{url}: {remedy}")
    if isinstance(cause, DeadlineError):
        return ClusterError(f"{url}: {words} before the reading was; raise --deadline")
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return ClusterError(f"{url}: there is no host of this name; check the URL{_explain_unused_proxy(url)}")
    if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
        return ClusterError(f"{url}: no answer in time; raise --timeout, or look whether the cluster is overloaded")
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return ClusterError(
            f"{url}: nothing answers there ({_tail(words)}); check host and port{_explain_unused_proxy(url)}"
        )
    if "Remote end closed connection without response" in words and url.startswith("http://"):
        return ClusterError(f"{url}: the connection is closed without an answer; the port may want https://")
    return ClusterError(f"{url}: the connection broke ({_tail(words)}); try again")


def error_from_response(url: str, answer: Response, credentials: Credentials | None = None) -> ClusterError:
    """Return the error for an answer that is not one of success; `credentials` are those that were sent."""
    words, kind = server_words(answer.body)
    where = f"{url} answers {answer.status}"
    if "-xsrf" in words or not DASHBOARDS.isdisjoint(answer.headers) or b'"statusCode":' in answer.body:
        return ClusterError(f"{where}: {words}; {IS_DASHBOARDS}")
    if answer.status in (401, 403) and not (credentials and credentials.aws_region) and AWS_ACTION.search(words):
        return ClusterError(f"{where}: {words}; requests have to be signed: give --region (needs mltasks[aws])")
    if answer.status == 401:
        own = f"{words}; " if words not in ("Unauthorized", "(no text)") else ""
        return ClusterError(f"{where}: {own}{_not_logged_in(credentials or Credentials())}")
    if answer.status == 403:
        if any(sign in words.lower() for sign in SIGNATURE):
            remedy = "check the secret key, --region, --aws-service (es or aoss) and this machine's clock"
        elif TENANT.search(words):
            remedy = "this cluster serves several tenants: give yours with --tenant-id"
        elif credentials and credentials.aws_region:
            remedy = "check the AWS credentials, --region, and that the domain's policy lets them in"
        elif "no permissions for []" in words:
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
        return RejectedError(f"{where}: the query is rejected: {words}")
    if answer.status == 503 and "Security not initialized" in words:
        return ClusterError(
            f"{where} again and again: {words}; its users are not loaded: try later if it has just started, else "
            "securityadmin.sh has to be run there"
        )
    if answer.status in (429, 502, 503, 504):
        return ClusterError(f"{where} again and again: {words}; the cluster is overloaded or starting, try later")
    if answer.status in (408, 413) or answer.too_large:
        return ClusterError(f"{where} even for the smallest page: {words}; the cluster is overloaded, try later")
    if 300 <= answer.status < 400:
        return ClusterError(f"{where}: {_explain_redirect(answer.headers.get('location', ''))}")
    return ClusterError(f"{where}: {words}")


def not_json(url: str, answer: Response) -> ClusterError:
    """Return the error for an answer of success that is no `_search` answer, such as a proxy's page."""
    kind = answer.headers.get("content-type", "no content type")
    if not DASHBOARDS.isdisjoint(answer.headers) or b"OpenSearch Dashboards" in answer.body[:20_000]:
        return ClusterError(f"{url} answers with something else ({kind}); {IS_DASHBOARDS}")
    return ClusterError(
        f"{url} answers with something else ({kind}: {excerpt(answer.body, 60)}); is this the URL of an OpenSearch "
        "cluster, without a proxy's login page in between?"
    )


def server_words(body: bytes) -> tuple[str, str]:
    """Return the server's own reason and the type of its error; the type is empty where there is none.

    Errors come as objects or as strings, in JSON or in plain text. The innermost cause says most.
    """
    try:
        answer = json.loads(body)
        texts = [answer.get(name) for name in ("error", "message", "Message")]  # the latter two: Amazon's
        if "statusCode" in answer:  # Dashboards: its `error` is only the status in words
            texts.reverse()
        error: Any = next(text for text in texts if text)
    except (ValueError, AttributeError, StopIteration, RecursionError):
        return excerpt(body).rstrip(".") or "(no text)", ""
    if not isinstance(error, dict):
        return str(error)[:300], ""
    inner = error
    causes = error.get("root_cause")
    for cause in causes if isinstance(causes, list) else ():
        inner = cause if isinstance(cause, dict) else inner
    reason = inner.get("reason") or error.get("reason") or inner.get("type") or "no reason given"
    return " ".join(str(reason).split())[:300], str(inner.get("type") or error.get("type") or "error")


def _explain_redirect(location: str) -> str:
    """Return where a redirect leads, without what its query may carry, and what to do."""
    target = urlsplit(location)
    place = urlunsplit((target.scheme, target.netloc.rpartition("@")[2], target.path, "", "")) or "elsewhere"
    if LOGIN.search(place):
        return (
            f"it leads to a login page ({place}), where only a browser gets on; give the URL of the cluster itself, "
            "and --user or a token"
        )
    return f"it leads to {place!r}; use that URL"


def _explain_unused_proxy(url: str) -> str:
    """Return what to know where a proxy is configured that is not used, to go behind an error."""
    parts = urlsplit(url)
    from urllib.request import getproxies, proxy_bypass  # here, since most runs have nothing to explain

    proxies = getproxies()
    if parts.scheme not in proxies or proxy_bypass(parts.hostname or ""):
        return ""
    return f" ({parts.scheme.upper()}_PROXY is set, but mltasks connects directly)"


def _not_logged_in(given: Credentials) -> str:
    """Return what is wrong with what was given, and what to give; a server does not tell wrong from unknown."""
    if given.user:
        return "wrong user or password; check --user, and the password in MLTASKS_PASSWORD or --password-file"
    if given.token:
        return "the token is not accepted: expired, or made elsewhere; get a new one for MLTASKS_TOKEN or --token-file"
    if given.client_cert:
        return "the client certificate is not enough to log in; give --user, and the password by MLTASKS_PASSWORD"
    return "not logged in; give --user, and the password by MLTASKS_PASSWORD (or a token, or a client certificate)"


def _tail(words: str) -> str:
    return words.rsplit(": ", 1)[-1].strip("()'\" ")
