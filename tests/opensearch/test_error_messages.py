"""Answers as real servers gave them, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mltasks import ClusterError, Credentials, UsageError
from mltasks.exceptions import Error
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.error_messages import RejectedError, error_from_response, server_words
from mltasks.opensearch.response import Response

URL = "https://host:9200"


def error(kind: str, reason: str, status: int) -> dict[str, Any]:
    cause = {"type": kind, "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": status}


CASES: list[tuple[int, Any, type[Error], str]] = [
    (401, "Unauthorized", ClusterError, "not logged in; give --user, and the password by MLTASKS_PASSWORD"),
    (
        403,
        error("security_exception", "no permissions for [cluster:admin/opensearch/ml/tasks/search] and User [x]", 403),
        ClusterError,
        "give the user the role ml_read_access",
    ),
    (
        403,
        error("security_exception", "no permissions for [] and User [name=admin]", 403),
        ClusterError,
        "system:admin/system_index on .plugins-ml-task",
    ),
    (
        400,
        {"error": "no handler found for uri [/_plugins/_ml/tasks/_search] and method [POST]"},
        ClusterError,
        "ML Commons is not installed there",
    ),
    (
        400,
        error("parsing_exception", "unknown query [nope]", 400),
        RejectedError,
        "the query is rejected: unknown query [nope]",
    ),
    (
        503,
        "OpenSearch Security not initialized.",
        ClusterError,
        "answers 503 again and again: OpenSearch Security not initialized; its users are not loaded",
    ),
    *(
        (
            status,
            {"Message": f"User: anonymous is not authorized to perform: {action}"},
            ClusterError,
            f"perform: {action}; requests have to be signed: give --region (needs mltasks[aws])",
        )
        for status, action in ((401, "es:ESHttpPost"), (403, "es:ESHttpGet"), (403, "aoss:APIAccessAll"))
    ),
    (
        404,
        {"statusCode": 404, "error": "Not Found", "message": "Not Found"},
        ClusterError,
        "Not Found; this is OpenSearch Dashboards: give the URL of OpenSearch, port 9200",
    ),
    (403, {"Message": "User: anonymous is not authorized"}, ClusterError, "403: User: anonymous is not authorized; "),
    (
        403,
        {"message": "The request signature we calculated does not match the signature you provided."},
        ClusterError,
        "check the secret key, --region, --aws-service (es or aoss) and this machine's clock",
    ),
    (
        403,
        error("status_exception", "Tenant ID can't be null", 403),
        ClusterError,
        "this cluster serves several tenants: give yours with --tenant-id",
    ),
    (
        403,
        error("security_exception", "no permissions for [x] and User [name=n, requestedTenant=null]", 403),
        ClusterError,
        "give the user the role ml_read_access",
    ),
    (
        400,
        {"statusCode": 400, "error": "Bad Request", "message": "Request must contain a osd-xsrf header."},
        ClusterError,
        "Request must contain a osd-xsrf header.; this is OpenSearch Dashboards: give the URL of OpenSearch, port 9200",
    ),
    (401, {"message": "Missing Authentication Token"}, ClusterError, "answers 401: Missing Authentication Token; not "),
    (429, error("rejected_execution", "rejected", 429), ClusterError, "overloaded or starting, try later"),
    (502, "<html>\n<body>bad gateway</body>\n</html>", ClusterError, "again and again: <html> <body>bad gateway"),
    (406, {"error": "Content-Type header [text/plain] is not supported", "status": 406}, ClusterError, "text/plain"),
    (500, error("exception", "Task cannot be read", 500), ClusterError, f"{URL} answers 500: Task cannot be read"),
]


@pytest.mark.parametrize(("status", "body", "kind", "said"), CASES)
def test_a_refusal_says_place_words_and_remedy_on_one_line(
    status: int, body: Any, kind: type[Error], said: str
) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = error_from_response(URL, Response(status, {}, raw))
    assert type(found) is kind
    assert said in str(found)
    assert str(found).startswith(URL)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://sso.example/oauth2/start?rd=secret", "it leads to a login page (https://sso.example/oauth2/start), "),
        ("https://u:pw@host:9200/es/?x=1", "it leads to 'https://host:9200/es/'; use that URL"),
        ("", "it leads to 'elsewhere'; use that URL"),
    ],
)
def test_a_redirect_says_where_it_leads_and_nothing_of_its_query(location: str, said: str) -> None:
    message = str(error_from_response(URL, Response(302, {"location": location}, b"")))
    assert said in message
    assert "secret" not in message
    assert "pw" not in message


def test_a_proxy_that_is_not_used_is_named_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    for host, named in (("127.0.0.1", True), ("localhost", False)):
        with pytest.raises(ClusterError, match="nothing answers there") as caught:
            Cluster(f"http://{host}:1").search({})
        assert ("HTTP_PROXY is set, but mltasks connects directly" in str(caught.value)) is named


@pytest.mark.parametrize("url", ["http://\u2488com:9200", f"http://{'a' * 64}.example:9200"])
def test_a_host_that_no_resolver_takes_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be a host's name; write http://host:9200"):
        Cluster(url)


def test_a_path_may_have_any_letter() -> None:
    with pytest.raises(ClusterError, match="nothing answers there"):
        Cluster("http://127.0.0.1:1/s\xfcche").search({})


@pytest.mark.parametrize(
    ("credentials", "status", "said"),
    [
        (Credentials(user="me", password="s3cret"), 401, "wrong user or password; check --user"),
        (Credentials(token="s3cret"), 401, "the token is not accepted: expired, or made elsewhere; get a new one"),
        (Credentials(aws_region="eu-west-1"), 403, "check the AWS credentials, --region"),
        (None, 401, "not logged in; give --user"),
    ],
)
def test_a_refused_login_says_what_to_change_of_what_was_given(
    credentials: Credentials | None, status: int, said: str
) -> None:
    found = str(error_from_response(URL, Response(status, {}, b"Unauthorized"), credentials))
    assert said in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ("(no text)", "")),
        (b"\x1b[31mred", ("\\x1b[31mred", "")),
        (b'{"error":"a text"}', ("a text", "")),
        (b'{"error":{"type":"x","reason":null}}', ("x", "x")),
        (
            b'{"error":{"root_cause":[{"type":"inner","reason":"the cause"}],"type":"outer","reason":"all failed"}}',
            ("the cause", "inner"),
        ),
        (b"[1]", ("[1]", "")),
        (b"Unauthorized.", ("Unauthorized", "")),
        (b'{"message":"The security token is invalid"}', ("The security token is invalid", "")),
        (b'{"status":500}', ('{"status":500}', "")),
    ],
)
def test_the_servers_own_words_are_found_wherever_they_stand(body: bytes, words: tuple[str, str]) -> None:
    assert server_words(body) == words
