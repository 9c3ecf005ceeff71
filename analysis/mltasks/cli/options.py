"""The options that commands share, and what they mean in Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mltasks import progress
from mltasks.cli import completion
from mltasks.cli.click_ext import Decorator, Number, WholeNumber, compose, option
from mltasks.cli.query_text import parse_query
from mltasks.exceptions import UsageError
from mltasks.tasks import filter_declarations

if TYPE_CHECKING:
    from mltasks.engines.reader import Reader
    from mltasks.opensearch.access import Access

ALIASES = {"since": ("--last",)}  # as other tools call these filters
FILTERS, OUTPUT, CLUSTER, ENGINE = "Which tasks", "Output", "For a cluster", "Where reports run"
ACCESS = (
    *("user", "password_file", "token_file", "ca_certs", "client_cert", "client_key", "insecure"),
    *("region", "aws_service", "tenant_id", "timeout", "deadline", "query", "allow_partial", "config", "redact"),
)

TRUST = ("ca_certs", "client_cert", "client_key", "insecure", "aws_service", "tenant_id")

source = click.argument(
    "source",
    metavar="[SOURCE]",
    envvar="MLTASKS_SOURCE",
    required=False,
    shell_complete=completion.complete_source,
)
sources = click.argument(
    "sources",
    metavar="[SOURCE]...",
    envvar="MLTASKS_SOURCE",
    nargs=-1,
    shell_complete=completion.complete_source,
)


def filters(*, refused: Collection[str] = (), left_out: Collection[str] = (), takes_tz: bool = True) -> Decorator:
    """Return the options that select tasks; help does not show `refused` ones, `left_out` are none at all.

    `takes_tz`: whether `--tz` is one of them, and not an option of the report.
    """
    declared = [
        option(
            f"--{name.replace('_', '-')}",
            metavar="TEXT" if name in filter_declarations.WORDS else "TIME",
            multiple=name in filter_declarations.WORDS,
            section=FILTERS,
            hidden=name in refused,
            aliases=ALIASES.get(name, ()),
            help=text,
        )
        for name, text in filter_declarations.HELP.items()
        if name not in left_out
    ]
    return compose([*declared, *([zone(FILTERS)] if takes_tz else [])])


def zone(section: str) -> Decorator:
    """Return the option `--tz`."""
    return option("--tz", metavar="ZONE", section=section, help="The time zone of days, weeks and months (UTC).")


def _access(*names: str, **settings: Any) -> Decorator:
    return option(*names, section=CLUSTER, **settings)


def _check_config(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return the name of a file that is there; some commands and sources need none, but a wrong one is told."""
    if value:
        from mltasks.opensearch import config

        config.check_file(value)
    return value


def _connection(timeout: Decorator) -> Decorator:
    return compose(
        [
            _access("--user", metavar="NAME", help="Log in; the password: MLTASKS_PASSWORD, a file, or a prompt."),
            _access("--password-file", metavar="FILE", help="A file with the password."),
            _access("--token-file", metavar="FILE", help="A file with a bearer token (or MLTASKS_TOKEN)."),
            _access("--ca-certs", metavar="FILE", help="The authority that signed the server's certificate."),
            _access("--client-cert", metavar="FILE", help="A certificate to log in with."),
            _access("--client-key", metavar="FILE", help="The key of that certificate."),
            _access("--insecure", is_flag=True, help="Do not check the certificate; log in over plain http."),
            _access("--region", metavar="NAME", help="Sign requests for AWS, in this region (needs mltasks[aws])."),
            _access("--aws-service", metavar="NAME", help="Sign for es (the default) or aoss, OpenSearch Serverless."),
            _access("--tenant-id", metavar="TEXT", help="The tenant, where a cluster has several (x-tenant-id)."),
            timeout,
            _access(
                "--deadline",
                type=Number(min=0, min_open=True),
                metavar="SECONDS",
                help="Give up when reading takes longer in all.",
            ),
            _access(
                "--config",
                metavar="FILE",
                callback=_check_config,
                help="Where clusters have names (mltasks.toml; see mltasks doctor --help).",
            ),
        ]
    )


connection = _connection(
    _access(
        "--timeout",
        type=Number(min=0, min_open=True),
        default=60.0,
        metavar="SECONDS",
        help="Wait so long for one answer (60).",
    )
)
waiting = _connection(
    _access("--timeout", metavar="SPAN", help="With --wait, in all (10m); else for one answer (60s).")
)
partial = _access("--allow-partial", is_flag=True, help="Take what is there where a page stays incomplete.")
query = _access("--query", metavar="JSON", help="Only what this OpenSearch query finds.")
redact = option(
    "--redact", is_flag=True, section=OUTPUT, help="Mask secrets, users, hosts and node names (best effort)."
)
access = compose([redact, query, connection, partial])
every = _access("--all", "every_cluster", is_flag=True, help="All configured clusters, as SOURCE.")
engine = compose(
    [
        option(
            "--engine",
            metavar="NAME",
            section=ENGINE,
            help="duckdb or spark; without it duckdb, and pandas for few tasks in memory.",
        ),
        option("--spark-master", metavar="URL", section=ENGINE, help="spark://host:7077; else on this machine."),
        option("--spark-remote", metavar="URL", section=ENGINE, help="A Spark Connect server, sc://host:15002."),
    ]
)
force = option("--force", is_flag=True, section=OUTPUT, help="Overwrite a file that is there.")
format_options = compose(
    [
        option(
            "--format",
            "format_",
            type=click.Choice(("table", "csv", "json", "markdown", "parquet")),
            metavar="FORMAT",
            section=OUTPUT,
            flags={f"--{name}": name for name in ("json", "csv", "markdown")},
            help="table (unless told otherwise), csv, json, markdown or parquet.",
        ),
        option(
            "-o",
            "--output",
            metavar="FILE",
            section=OUTPUT,
            help="To a file; its suffix says the format: .csv .json .md .txt .parquet",
        ),
        force,
    ]
)
row_options = compose(
    [
        option("--sort", metavar="COLUMN", section=OUTPUT, help="Largest first, texts from A; or COLUMN:asc, :desc."),
        option(
            "--top",
            type=WholeNumber(min=0),
            metavar="N",
            section=OUTPUT,
            aliases=("--limit", "-n"),
            help="Only the first N rows (0: all).",
        ),
        option("--columns", metavar="NAMES", section=OUTPUT, help="Which columns, comma-separated."),
        option("--wide", is_flag=True, section=OUTPUT, help="All columns, however long the lines."),
    ]
)


def split(options: dict[str, Any], left_out: Collection[str] = ()) -> tuple[dict[str, Any], Access]:
    """Take the filters and the access to a cluster out of a command's options; what is left stays in `options`.

    `left_out`: names of filters that are options of the command's own.
    """
    names = [name for name in filter_declarations.HELP if name not in left_out]
    chosen = {name: options.pop(name, None) for name in names}
    chosen["tz"] = options.get("tz")  # which a report takes, too
    chosen = {name: value for name, value in chosen.items() if value or value == ""}  # an empty text is an error
    chosen = {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
    return chosen, _to_access(**{name: options.pop(name) for name in ACCESS if name in options})


def open_reader(options: dict[str, Any]) -> Reader | None:
    """Take the engine out of a command's options, and return what reads files for the reports; None: as usual."""
    name = options.pop("engine")
    given = {key: options.pop(f"spark_{key}") for key in ("master", "remote")}
    settings = {key: value for key, value in given.items() if value}
    if settings and name != "spark":
        raise UsageError(f"--spark-{next(iter(settings))}: is for --engine spark; add that, or leave it out")
    if len(settings) > 1:
        raise UsageError("--spark-master and --spark-remote at once; use one of them")
    if name is None:
        return None
    from mltasks.engines import engine_names

    engine_names.check_engine(name)
    with progress.status_line(f"start of {name}"):
        from mltasks.engines.reader import make_reader  # only now, since it is most of a start

        return make_reader(name, settings=settings)


def split_names(text: str | None) -> list[str]:
    """Return comma-separated names, each once; raises UsageError where a text has none."""
    names = list(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    if text is not None and not names:
        raise UsageError(f"columns: there is no name in {text!r}; name some, comma-separated, or leave columns out")
    return names


def _to_access(
    user: str | None,
    password_file: str | None,
    token_file: str | None,
    region: str | None,
    query: str | None = None,
    **settings: Any,
) -> Access:
    from mltasks.opensearch.access import Access
    from mltasks.opensearch.config import read_secret
    from mltasks.opensearch.credentials import Credentials

    password = os.environ.get("MLTASKS_PASSWORD")
    if password_file is not None:
        password = read_secret(Path(), password_file, "--password-file")
    if user and password is None and sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    token = os.environ.get("MLTASKS_TOKEN")
    if token_file is not None:
        token = read_secret(Path(), token_file, "--token-file")
    trust = {name: settings.pop(name) for name in TRUST if name in settings}
    credentials = Credentials(user=user, password=password if user else None, token=token, aws_region=region, **trust)
    return Access(credentials, query=parse_query(query), **settings)
