from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AwsKeys

from mltasks import Access, Credentials, UsageError, load
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.connection import RawConnection
from mltasks.opensearch.credentials import InsecureWarning
from support.stub_cluster import StubCluster

SECRET = "s3cret-Value"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"user": "me"}, "--user me: no password; set MLTASKS_PASSWORD or give --password-file"),
        ({"password": SECRET}, "there is a password but no user; give --user or set MLTASKS_USER"),
        ({"user": "me", "password": SECRET, "token": SECRET}, "--user and a token at once; log in one way"),
        ({"token": SECRET, "aws_region": "eu-west-1"}, "a token and --region at once; log in one way"),
        (
            {"user": f"me:{SECRET}"},
            "--user has a colon in it; give the name alone, and the password by MLTASKS_PASSWORD",
        ),
        (
            {"token": f"{SECRET}\n{SECRET}"},
            "the token holds blanks, line breaks or other letters than ASCII; give it alone on one line",
        ),
        ({"tenant_id": "a\nb"}, "--tenant-id: not a value for a header; give it in ASCII, without line breaks"),
        ({"aws_service": "es"}, "--aws-service es: give the --region too"),
        ({"aws_service": "s3", "aws_region": "eu-west-1"}, "--aws-service s3: there are es and aoss"),
        ({"client_key": "k.pem"}, "--client-key k.pem: give its certificate too, with --client-cert"),
        ({"ca_certs": "none.pem"}, "--ca-certs none.pem: there is no such file"),
        ({"client_cert": "none.pem"}, "--client-cert none.pem: there is no such file"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_any_connection(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Credentials(**options)
    assert str(error.value) == said
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", ["ca_certs", "client_cert"])
def test_a_file_that_is_no_certificate_is_refused_before_any_connection(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.write_text("not a certificate")
    options: dict[str, Any] = {name: str(file)}
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} {file}: "):
        Credentials(**options)


def test_no_secret_is_shown() -> None:
    assert SECRET not in repr(Credentials(user="me", password=SECRET))
    assert SECRET not in repr(Credentials(token=SECRET))
    assert repr(Credentials("me", SECRET, insecure=True)) == "Credentials(user='me', password=***, insecure=True)"
    assert repr(Access(Credentials("me", SECRET), page_size=7)) == (
        "Access(credentials=Credentials(user='me', password=***), page_size=7)"
    )


@pytest.mark.parametrize("given", [{"user": "me", "password": SECRET}, {"token": SECRET}, {"aws_region": "eu-west-1"}])
@pytest.mark.parametrize("host", ["search.example", "10.0.0.1", "[fd00::1]:9200", "localhost.example"])
def test_credentials_do_not_travel_over_plain_http_unless_somebody_insists(
    given: dict[str, Any], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with pytest.raises(
        UsageError, match="over plain http, whoever stands in between can read the credentials; write ht"
    ):
        Cluster(f"http://{host}", Credentials(**given))
    with pytest.warns(InsecureWarning, match="--insecure: over plain http, whoever stands in between can read"):
        Cluster(f"http://{host}", Credentials(**given, insecure=True))


@pytest.mark.parametrize(
    "host", ["localhost:9200", "LOCALHOST", "127.0.0.1", "127.9.9.9:1", "[::1]:9200", "a.localhost"]
)
def test_credentials_stay_on_this_machine_with_plain_http(host: str) -> None:
    Cluster(f"http://{host}", Credentials("me", SECRET))


def test_a_tenant_is_sent_beside_the_login() -> None:
    sent = Credentials("me", SECRET, tenant_id="t-1").login()["headers"]
    assert (sent["x-tenant-id"], "authorization" in sent) == ("t-1", True)
    assert Credentials(tenant_id="t-1").login() == {"headers": {"x-tenant-id": "t-1"}}


def test_user_and_password_are_sent_in_utf_8_as_the_server_reads_them() -> None:
    header = Credentials(user="jörg", password="€5").login()["headers"]["authorization"]
    assert header == "Basic " + base64.b64encode("jörg:€5".encode()).decode()


def test_a_connection_that_trusts_anybody_warns_and_one_that_asks_no_certificate_does_not() -> None:
    with pytest.warns(InsecureWarning, match="the server's certificate is not checked") as said:
        Cluster("https://localhost", Credentials(insecure=True))
    assert len(said) == 1
    Cluster("http://localhost", Credentials(insecure=True))


def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_USER", "me")
    monkeypatch.setenv("MLTASKS_PASSWORD", SECRET)
    assert Credentials.from_environment() == Credentials(user="me", password=SECRET)


def test_without_aws_credentials_signing_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UsageError, match="no AWS credentials found; set AWS_PROFILE or AWS_ACCESS_KEY_ID"):
        Cluster("https://localhost", Credentials(aws_region="eu-west-1"))


@pytest.mark.parametrize(("given", "service"), [(None, "es"), ("es", "es"), ("aoss", "aoss")])
def test_a_request_is_signed_as_botocore_signs_it(
    given: str | None, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    signer = Credentials(aws_region="eu-west-1", aws_service=given).login()["http_auth"]
    connection = RawConnection(host="search.example", port=443, use_ssl=True, http_auth=signer)
    url, body = f"{connection.host}/_plugins/_ml/tasks/_search", b'{"size": 1}'
    signed = signer("POST", url, body)

    expected = AWSRequest("POST", url, data=body, headers={"X-Amz-Content-SHA256": signed["X-Amz-Content-SHA256"]})
    auth = SigV4Auth(AwsKeys("AKIDEXAMPLE", SECRET), service, "eu-west-1")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _read(signed["X-Amz-Date"]))
    auth.add_auth(expected)
    assert signed["Authorization"] == expected.headers["Authorization"]
    assert SECRET not in str(signed)


def test_service_and_tenant_are_in_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    login = Credentials(aws_region="eu-west-1", aws_service="aoss", tenant_id="t-1")
    with StubCluster({"a": 1}) as server:
        assert len(load(server.url, Access(login))) == 1
    assert len(server.headers) > 2  # pages, and what is asked beside them
    for headers in server.headers:
        assert headers["x-tenant-id"] == "t-1"
        scope = headers["authorization"].partition("Credential=AKIDEXAMPLE/")[2].partition(",")[0]
        assert scope.partition("/")[2] == "eu-west-1/aoss/aws4_request"


def _read(stamp: str) -> Any:
    from datetime import datetime

    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")  # botocore works with naive UTC
