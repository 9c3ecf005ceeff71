"""`mltasks sync`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mltasks import progress
from mltasks.cli import completion, open_sources, options
from mltasks.cli.click_ext import CLUSTERS, Command, option
from mltasks.exceptions import Error, UsageError
from mltasks.tasks.plural import count_of

if TYPE_CHECKING:
    from mltasks.store.sync_result import SyncResult


@click.command(
    "sync",
    cls=Command,
    source=CLUSTERS,
    examples=(
        "mltasks sync https://host:9200 history --user admin",
        "mltasks sync prod-eu prod-us history",
        "mltasks sync --all history --reconcile",
        "mltasks report history --since 7d",
    ),
)
@click.argument(
    "names", metavar="[SOURCE]... STORE", nargs=-1, required=True, shell_complete=completion.complete_source
)
@option("--reconcile", is_flag=True, section=options.OUTPUT, help="Also mark the tasks that the cluster has no longer.")
@option("--repair", is_flag=True, section=options.OUTPUT, help="Set damaged data files aside and read all tasks again.")
@option("-q", "--quiet", is_flag=True, section=options.OUTPUT, help="Say nothing but errors: for cron.")
@options.redact
@options.connection
@options.every
def command(
    names: tuple[str, ...], every_cluster: bool, reconcile: bool, repair: bool, quiet: bool, **given: Any
) -> int:
    """Bring a folder of Parquet files up to date with one or more clusters; it is made the first time.

    Only what was written since the last sync is read. An interrupted sync resumes where it stopped. Tasks that were
    deleted on the cluster stay in the store.
    """
    from mltasks.object_storage.path import is_object_url
    from mltasks.opensearch.access import check_cluster
    from mltasks.store.manifest import check_folder, not_a_store

    _, access = options.split(given)
    if quiet:
        access = replace(access, progress=False)
    *sources, folder = names
    if not folder:
        raise not_a_store(folder)
    if not sources and not every_cluster:
        sources = os.environ.get("MLTASKS_SOURCE", "").split()
    if not sources and not every_cluster:
        raise _explain_argument(folder, access.config)

    clusters = open_sources.resolve_names(sources, access, every=every_cluster)
    if len(clusters) == 1:
        check_cluster(clusters[0], access.config)
    if is_object_url(folder):
        raise UsageError(f"{folder}: a store is a folder of this machine, which mltasks publish copies there")
    with suppress(OSError):  # which says what is wrong when it is written
        check_folder(Path(folder))
    code = 0
    for name in clusters:
        try:
            with nullcontext() if quiet else progress.status_line(name):
                from mltasks.store.store import Store  # only now, since it is most of a start

                result = Store(folder).sync(name, access, reconcile=reconcile, repair=repair)
            if not quiet:
                print("\n".join(describe(result, folder)), file=sys.stderr)
        except Error as error:
            if len(clusters) == 1:
                raise
            open_sources.print_error(error)
            code = open_sources.combine_exit_codes(code, error)
    return code


def _explain_argument(word: str, config: str | None) -> UsageError:
    """Return the error for a single argument, which is a source without a store, or a store without a source."""
    from mltasks.sources import source_kind

    kind = source_kind.kind_of(word, config)
    if kind in ("cluster", "demo"):
        cluster = word if kind == "cluster" else "URL"
        return UsageError(f"{word}: no STORE; name a folder behind the cluster: mltasks sync {cluster} history")
    return UsageError(f"{word}: no SOURCE; name it before, as in mltasks sync URL {word}, or set MLTASKS_SOURCE")


def describe(result: SyncResult, folder: str) -> Sequence[str]:
    """Return what a sync did, a line each."""
    changes = [f"{n:,} {what}" for n, what in ((result.new, "new"), (result.updated, "updated")) if n]
    lines = [f"{result.cluster}: {', '.join(changes) or 'nothing new'}; {count_of(result.tasks)} in {folder}"]
    if result.resumed:
        lines.append(f"{result.cluster}: resumed an interrupted sync")
    if result.damaged:
        aside = f"{len(result.damaged)} damaged {'file was' if len(result.damaged) == 1 else 'files were'} set aside"
        lost = "none is lost"
        if result.lost:
            lost = f"{count_of(result.lost)} lost: the cluster has {'it' if result.lost == 1 else 'them'} no longer"
        lines.append(f"{result.cluster}: {aside} in {folder}/_damaged; {count_of(result.recovered)} read again, {lost}")
    if result.anew:
        lines.append(
            f"{result.cluster}: the index is not the one of the last sync (or its newest tasks were deleted): read "
            "from its beginning; what was stored before stays"
        )
    if result.gone:
        lines.append(f"{result.cluster}: {count_of(result.gone)} found gone on the cluster and marked")
    if result.missing:
        lines.append(
            f"{result.cluster}: {count_of(result.missing)} gone on the cluster; --reconcile finds and marks which"
        )
    return [*lines, *result.not_guaranteed]
