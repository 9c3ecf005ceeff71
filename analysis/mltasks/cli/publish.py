"""`mltasks publish`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mltasks import progress
from mltasks.cli import completion, options
from mltasks.cli.click_ext import Command, option
from mltasks.tasks.plural import count_of


@click.command(
    "publish",
    cls=Command,
    examples=(
        "mltasks publish history s3://bucket/history",
        "mltasks failures s3://bucket/history --since 7d",
    ),
)
@click.argument("store", shell_complete=completion.complete_store)
@click.argument("url")
@option("-q", "--quiet", is_flag=True, section=options.OUTPUT, help="Say nothing but errors: for cron.")
def command(store: str, url: str, quiet: bool) -> None:
    """Copy a store to object storage, for others to read; the next time, only what has changed.

    Readers see the state before or the new one, whatever happens. Credentials and endpoint come from the environment,
    as AWS names them: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
    """
    from mltasks.store import manifest, target

    target.parse_target(url)
    if not (store and manifest.is_store(Path(store))):
        raise manifest.not_a_store(store)
    with progress.status_line(f"{store} to {url}"):
        from mltasks.store.store import Store  # only now, since it is most of a start

        result = Store(store).publish(url)
    if quiet:
        return
    files = f"{result.uploaded:,} of {count_of(result.files, 'file')} uploaded"
    size = f" ({result.uploaded_bytes / 1e6:,.1f} MB)" if result.uploaded else ""
    removed = f", {result.removed:,} removed" if result.removed else ""
    print(f"{result.url}: {count_of(result.tasks)}; {files}{size}{removed}", file=sys.stderr)
