"""`mltasks doctor`."""

from __future__ import annotations

from typing import Any

import click

from mltasks.cli import open_sources, options
from mltasks.cli.click_ext import Command
from mltasks.exceptions import ClusterError, Error, UsageError
from mltasks.opensearch.config import EXAMPLE

EPILOG = f"""\b
A cluster gets a name in config.toml in ~/.config/mltasks, or in mltasks.toml
in this folder if nobody else can write there; the name is then a SOURCE:
{EXAMPLE.replace(f"{chr(10)}{chr(10)}", f"{chr(10)}{chr(10)}{chr(8)}{chr(10)}")}"""


@click.command(
    "doctor",
    cls=Command,
    source="SOURCE is a cluster: its URL, or its configured name, as below.",
    examples=("mltasks doctor https://host:9200", "mltasks doctor --all"),
    epilog=EPILOG,
)
@options.sources
@options.connection
@options.every
def command(sources: tuple[str, ...], every_cluster: bool, **given: Any) -> int:
    """Look at a cluster: reachable, TLS, version, permissions, tasks; one proposal per problem."""
    from mltasks.opensearch import config
    from mltasks.opensearch.access import open_cluster

    _, access = options.split(given)
    names, code = open_sources.resolve_names(sources, access, every=every_cluster), 0
    for name in names:
        try:
            cluster = open_cluster(name, access, prefer_files=False)
            if cluster is None:
                near = config.suggest_cluster(name, access.config)
                raise UsageError(f"doctor: {name} is no cluster; {near}name a URL or a configured cluster")
            with open_sources.status_line([name]):
                from mltasks.opensearch import diagnostics  # only now, since they are most of a start
                from mltasks.render import terminal_doctor

                checks = list(diagnostics.examine(cluster))
        except Error as error:
            open_sources.print_error(error)
            code = code or error.exit_code
            continue
        click.echo(terminal_doctor.render(cluster.name, checks), nl=False)
        if any(one.state == "problem" for one in checks):
            code = ClusterError.exit_code
    return code
