"""The ways to log in to the secured server, as the variables of the environment that mltasks reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from live.secured import SecuredServer

Variables = dict[str, str]


def ca(server: SecuredServer, name: str = "ca") -> Variables:
    """Nothing but whom to trust."""
    return {"MLTASKS_CA_CERTS": str(server.conf / f"{name}.pem")}


def password(server: SecuredServer, user: str = "reader") -> Variables:
    """User and password."""
    return ca(server) | {"MLTASKS_USER": user, "MLTASKS_PASSWORD": server.passwords[user]}


def certificate(server: SecuredServer, name: str = "reader", key: str = "") -> Variables:
    """A client certificate, with its key or that of another."""
    files = {"CERT": f"{name}.pem", "KEY": f"{key or name}.key"}
    return ca(server) | {f"MLTASKS_CLIENT_{kind}": str(server.conf / file) for kind, file in files.items()}


def token(server: SecuredServer, **options: Any) -> Variables:
    """A bearer token; `options` as of `SecuredServer.token`."""
    return ca(server) | {"MLTASKS_TOKEN": server.token(**options)}


LOGINS: dict[str, Callable[[SecuredServer], Variables]] = {
    "password": password,
    "certificate": certificate,
    "token": token,
}


def log_in(monkeypatch: pytest.MonkeyPatch, variables: Variables) -> None:
    """Set these variables, and no others of mltasks."""
    for name in list(os.environ):
        if name.startswith("MLTASKS_") and not name.startswith("MLTASKS_TEST_"):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
