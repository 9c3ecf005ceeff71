"""The options that commands share, and what they mean in Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mltasks.errors import UsageError

if TYPE_CHECKING:
    from mltasks.sources import Access

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]
WORDS = {
    "cluster": "of these clusters",
    "state": "in these states",
    "outcome": "succeeded, partial, failed, cancelled, open, or completed (the first two)",
    "task_type": "of these types",
    "function_name": "of these functions",
    "node": "on nodes whose id or name contains this",
    "model": "of models whose id or name contains this",
    "error": "whose error contains this text",
    "not_state": "not in these states",
    "not_outcome": "not with these outcomes",
    "not_task_type": "not of these types",
}
ACCESS = (
    *("user", "password_file", "token_file", "ca_certs", "client_cert", "client_key", "insecure"),
    *("timeout", "query", "allow_partial"),
)


def option(*names: str, **settings: Any) -> Decorator:
    """Return a click option that MLTASKS_<NAME> can set too."""
    long = max(names, key=len).lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=f"MLTASKS_{long}", **settings)


def stacked(decorators: Sequence[Decorator]) -> Decorator:
    """Return decorators as one; help shows them in this order."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


source = click.argument("source", envvar="MLTASKS_SOURCE", required=False)
filters = stacked(
    [
        option(
            "--since",
            metavar="TIME",
            help="From then on: 7d, 24h, 30m before the data's time, or a date (UTC).",
        ),
        option("--until", metavar="TIME", help="Before then."),
        *(
            option(f"--{name.replace('_', '-')}", metavar="TEXT", multiple=True, help=f"Only tasks {words}.")
            for name, words in WORDS.items()
        ),
    ]
)
access = stacked(
    [
        option(
            "--user",
            metavar="NAME",
            help="Who asks; the password comes by MLTASKS_PASSWORD, a file or a prompt.",
        ),
        option("--password-file", metavar="FILE", help="A file with the password."),
        option("--token-file", metavar="FILE", help="A file with a bearer token (or MLTASKS_TOKEN)."),
        option("--ca-certs", metavar="FILE", help="The authority that signed the server's certificate."),
        option("--client-cert", metavar="FILE", help="A certificate to log in with."),
        option("--client-key", metavar="FILE", help="The key of that certificate."),
        option("--insecure", is_flag=True, help="Do not check the server's certificate."),
        option("--timeout", type=float, default=60.0, metavar="SECONDS", help="Wait so long for one answer."),
        option("--query", metavar="JSON", help="OpenSearch query DSL, for clusters."),
        option("--allow-partial", is_flag=True, help="Take what is there where a page stays incomplete."),
    ]
)
output = stacked(
    [
        option("--format", "format_", type=click.Choice(("table", "csv", "json", "markdown", "parquet"))),
        option("--wide", is_flag=True, help="All columns, however long the lines."),
        option("--sort", metavar="COLUMN", help="Largest first, texts alphabetically; COLUMN:asc, COLUMN:desc."),
        option("--top", type=click.IntRange(min=0), metavar="N", help="Only the first N rows (0: all)."),
        option("-o", "--output", metavar="FILE", help="To a file: .csv, .json, .md, .txt, .parquet."),
        option("--force", is_flag=True, help="Overwrite a file that is there."),
    ]
)


def split(options: dict[str, Any]) -> tuple[dict[str, Any], Access]:
    """Take the filters and the access to a cluster out of a command's options; what is left stays in `options`."""
    chosen = {name: options.pop(name, None) for name in ("since", "until", *WORDS)}
    chosen = {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items() if value}
    return chosen, _access(**{name: options.pop(name) for name in ACCESS if name in options})


def named(source: str | None) -> str:
    """Return the source, or say that there is none."""
    if not source:
        raise UsageError("no SOURCE: name a cluster's URL, a file or demo, or set MLTASKS_SOURCE")
    return source


def _access(
    user: str | None,
    password_file: str | None,
    token_file: str | None,
    query: str | None = None,
    allow_partial: bool = False,
    timeout: float = 60.0,
    **files: Any,
) -> Access:
    import os

    from mltasks.cluster import Credentials
    from mltasks.sources import Access

    password = _secret(password_file, "--password-file") or os.environ.get("MLTASKS_PASSWORD")
    if user and password is None and sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    token = _secret(token_file, "--token-file") or os.environ.get("MLTASKS_TOKEN")
    credentials = Credentials(user=user, password=password if user else None, token=token, **files)
    return Access(credentials, query=_parsed(query), allow_partial=allow_partial, timeout=timeout)


def _secret(path: str | None, name: str) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} {path}: cannot be read: {getattr(error, 'strerror', error)}") from None


def _parsed(query: str | None) -> dict[str, Any] | None:
    if query is None:
        return None
    try:
        found = json.loads(query)
    except ValueError as error:
        raise UsageError(f"--query: not JSON: {error}; write a query such as '{{\"match_all\": {{}}}}'") from None
    if not isinstance(found, dict):
        raise UsageError("--query: not an object; write a query such as '{\"match_all\": {}}'")
    if set(found) == {"query"}:  # the body of a request, as in the API's own examples
        found = found["query"]
    return dict(found)
