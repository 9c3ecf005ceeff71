"""Several sources for one report: those that can be read, and a line for each that cannot."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from mltasks import progress
from mltasks.cli import early_checks
from mltasks.exceptions import ClusterError, Error, UsageError

if TYPE_CHECKING:
    from mltasks.engines.dataset import Dataset
    from mltasks.engines.reader import Reader
    from mltasks.opensearch.access import Access


def status_line(names: Sequence[str]) -> AbstractContextManager[None]:
    """Say on a terminal which sources are worked on, where that takes a second or more."""
    return progress.status_line(", ".join(names) or "all clusters")


def check_call(names: Sequence[str], access: Access, chosen: Mapping[str, Any], *, every: bool) -> list[str]:
    """Return the sources that are meant; raises UsageError for one, or a filter, that cannot be."""
    from mltasks.sources import source_kind

    names = resolve_names(names, access, every=every)
    early_checks.check_filters(chosen, names)
    for name in names:
        if source_kind.check_source(name, access.config) != "cluster" and access.query is not None:
            raise source_kind.no_query(name)
    return names


def scan_all(
    names: Sequence[str], access: Access, chosen: dict[str, Any], *, every: bool, reader: Reader | None = None
) -> tuple[Dataset, int]:
    """Return the tasks of all sources that can be read, and the exit code: 0, or what the others have earned.

    A single source that cannot be read is its error; of several, each says its line and the rest goes on.
    """
    names = check_call(names, access, chosen, every=every)
    from mltasks.engines.reader import Reader
    from mltasks.sources import load  # only now, since they are most of a start
    from mltasks.tasks import filter_options

    reader = reader or Reader()
    if len(names) == 1:
        return load.scan_with(reader, names[0], access, chosen), 0
    filter_options.parse(chosen, 0)  # what is wrong with the call is said at once, and not once a source
    datasets, code = [], 0
    for name in names:
        try:
            datasets.append(load.scan_with(reader, name, access, filter_options.loosen(chosen)))
        except Error as error:
            print_error(error)
            code = combine_exit_codes(code, error)
    if not datasets:
        raise click.exceptions.Exit(code)
    return load.combine(datasets, chosen, is_redacted=access.redact, reader=reader), code


def scan_with_before(
    names: Sequence[str],
    access: Access,
    chosen: dict[str, Any],
    *,
    every: bool,
    looks_back: bool = True,
    reader: Reader | None = None,
) -> tuple[Dataset, int, dict[str, Any]]:
    """Return what `scan_all` does of as long a time before `since`, too, and the window for the report to select."""
    if not looks_back or chosen.get("since") is None:
        return *scan_all(names, access, chosen, every=every, reader=reader), {}
    from mltasks.tasks import filter_options

    window = {name: chosen[name] for name in ("since", "until", "tz") if chosen.get(name) is not None}
    return *scan_all(names, access, filter_options.with_time_before(chosen), every=every, reader=reader), window


def resolve_names(names: Sequence[str], access: Access, *, every: bool) -> list[str]:
    """Return the sources that are meant; raises UsageError where there is none."""
    from mltasks.opensearch import config

    if every and names:
        raise UsageError(f"--all and {names[0]} at once; use one of them")
    if every:
        configured = list(config.clusters(access.config))
        if not configured:
            raise UsageError("--all: no cluster is configured; mltasks doctor --help shows how")
        return configured
    if not names:
        raise UsageError("no SOURCE: name a cluster's URL, a file, or demo (the example data); or set MLTASKS_SOURCE")
    if "" in names:
        from mltasks.sources import source_kind

        raise source_kind.empty_source()
    return list(dict.fromkeys(names))


def combine_exit_codes(code: int, error: Error) -> int:
    """Return the exit code after one more of several sources has failed: a cluster that does not answer weighs most."""
    return ClusterError.exit_code if isinstance(error, ClusterError) else code or error.exit_code


def print_error(error: Error) -> None:
    """Say what went wrong with one of several sources, in one line."""
    from mltasks.render.harmless_text import one_line

    print(f"mltasks: {one_line(str(error))}", file=sys.stderr)
