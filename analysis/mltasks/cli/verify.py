"""`mltasks verify`."""

from __future__ import annotations

from pathlib import Path

import click

from mltasks import progress
from mltasks.cli import completion
from mltasks.cli.click_ext import Command
from mltasks.exceptions import DataError


@click.command("verify", cls=Command, examples=("mltasks verify history", "mltasks verify s3://bucket/history"))
@click.argument("store", shell_complete=completion.complete_store)
def command(store: str) -> None:
    """Check a store's files against its manifest: bytes, columns, counts, and that each task is there once."""
    from mltasks.object_storage.path import is_object_url, parse_url
    from mltasks.store import manifest

    place = parse_url(store) if is_object_url(store) else None
    if place is None and not (store and manifest.is_store(Path(store))):
        raise manifest.not_a_store(store)
    with progress.status_line(store):
        from mltasks.store.store import Store  # only now, since they are most of a start
        from mltasks.store.stored_tasks import PublishedStore

        checked = Store(store) if place is None else PublishedStore(place)
        problems = checked.problems()
    for problem in problems:
        print(problem.text)
    if any(problem.lost for problem in problems):
        again = f"mltasks publish STORE {store}" if place else f"mltasks sync --repair SOURCE {store}"
        raise DataError(f"{store}: {len(problems)} wrong, listed before; put back a copy, or {again}")
    if problems:
        raise DataError(f"{store}: {len(problems)} wrong, listed before with the remedy; the data files are whole")
    print(f"{store}: whole; {checked.holds()}")
