"""What a secured cluster refuses is one line that says what to change, and nothing of it is logged.

It runs OpenSearch and ML Commons 3.6.0 with the security plugin 3.4.0.0, a combination that nobody supports: there is
no security plugin for 3.6.0 to be had (secured_home.py says more).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from live import tls
from live.logins import Variables, ca, certificate, log_in, password, token
from live.secured import SecuredServer
from support.command import Command

NEEDED = "no permissions for [cluster:admin/opensearch/ml/tasks/search]"
REFUSALS: dict[str, tuple[Callable[[SecuredServer], Variables], int, str]] = {
    "no login": (ca, 3, "answers 401: not logged in; give --user"),
    "wrong password": (
        lambda s: password(s) | {"MLTASKS_PASSWORD": "not it"},
        3,
        "answers 401: wrong user or password; check --user, and the password in MLTASKS_PASSWORD",
    ),
    "unknown user": (lambda s: password(s) | {"MLTASKS_USER": "stranger"}, 3, "answers 401: wrong user or password"),
    "expired token": (lambda s: token(s, life=-3600), 3, "answers 401: the token is not accepted: expired"),
    "token made elsewhere": (lambda s: token(s, key=b"x" * 48), 3, "answers 401: the token is not accepted"),
    "token without a role": (lambda s: token(s, role=""), 3, f"answers 403: {NEEDED}"),
    "user without a role": (lambda s: password(s, "nobody"), 3, f"answers 403: {NEEDED}"),
    "certificate of nobody known": (lambda s: certificate(s, "stranger"), 3, f"answers 403: {NEEDED}"),
    "expired client certificate": (lambda s: certificate(s, "expired-reader"), 3, "--client-cert"),
    "client certificate of another authority": (lambda s: certificate(s, "foreign-reader"), 3, "--client-cert"),
    "no authority": (
        lambda s: password(s) | {"MLTASKS_CA_CERTS": ""},
        3,
        "the server's certificate is signed by an unknown authority; give it with --ca-certs",
    ),
    "wrong authority": (
        lambda s: password(s) | ca(s, "other-ca"),
        3,
        "the server's certificate is signed by an unknown authority; give it with --ca-certs",
    ),
    "key of another certificate": (
        lambda s: certificate(s, key="stranger"),
        2,
        "cannot be used (KEY_VALUES_MISMATCH); give the --client-key that belongs to it",
    ),
    "key in place of an authority": (
        lambda s: {"MLTASKS_CA_CERTS": str(s.conf / "ca.key")},
        2,
        "ca.key: not a certificate in PEM format",
    ),
    "user without a password": (lambda s: ca(s) | {"MLTASKS_USER": "reader"}, 2, "--user reader: no password; set"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_one_line_that_says_what_to_change(
    secured: SecuredServer,
    case: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    command: Command,
) -> None:
    variables, code, said = REFUSALS[case]
    log_in(monkeypatch, variables(secured))
    assert said in command.fails(code, "failures", secured.url)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("127.0.0.1", "localhost"), "the certificate is for another host name; use that name in the URL"),
        (("https://", "http://"), "the connection is closed without an answer; the port may want https://"),
    ],
)
def test_a_url_that_does_not_fit_is_one_line_that_says_what_to_change(
    secured: SecuredServer, change: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    log_in(monkeypatch, password(secured))
    url = secured.url.replace(*change)
    assert command.fails(3, "failures", url).startswith(f"{url}: {said}")


def test_an_expired_certificate_of_the_server_is_named(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    log_in(monkeypatch, password(secured))
    with tls.port(secured.conf, "expired-node") as url:
        said = command.fails(3, "failures", url)
    assert said.startswith(f"{url}: the server's certificate has expired; it must be renewed")


VALID = "give a valid one with --client-cert and --client-key"


@pytest.mark.parametrize(
    ("login", "said"),
    [
        (ca, "the server wants a client certificate; give one with --client-cert and --client-key"),
        (lambda s: certificate(s, "expired-reader"), f"the client certificate has expired; {VALID}"),
        (
            lambda s: certificate(s, "foreign-reader"),
            f"the client certificate is signed by an authority that the server does not know; {VALID}",
        ),
    ],
    ids=["none", "expired", "foreign"],
)
def test_a_proxy_that_wants_a_client_certificate_says_what_is_wrong_with_it(
    secured: SecuredServer,
    login: Callable[[SecuredServer], Variables],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    command: Command,
) -> None:
    log_in(monkeypatch, login(secured))
    with tls.port(secured.conf, "node", wants_certificate=True) as url:
        assert command.fails(3, "failures", url).startswith(f"{url}: {said}")
