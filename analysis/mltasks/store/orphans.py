"""Orphan files of a store: what no snapshot names, and what a killed sync has left; removed by the next sync."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from mltasks.exceptions import WriteError
from mltasks.store.paths import DATA, DATA_FOLDER, INDEX, PART, data_folders


def remove_orphans(folder: Path, wanted: Iterable[str], cluster: str) -> None:
    """Remove a cluster's data files that no snapshot names, and what a killed sync has left.

    Those of other clusters stay until their own next sync. Raises WriteError.
    """
    keep = {f"{folder / DATA_FOLDER}/{path.removesuffix('.pq')}" for path in wanted}
    try:
        folders = data_folders(folder, cluster)
        for path in (*find_files(folders, DATA, INDEX, PART), *find_files([folder], PART)):
            if path.rpartition(".")[0] not in keep:
                Path(path).unlink()
        remove_empty(folders)
    except OSError as error:
        raise WriteError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error


def find_files(folders: Iterable[Path], *patterns: str) -> list[str]:
    """Return the paths of the files in folders that have one of the names, as texts: a store has thousands of files.

    Raises OSError where a folder cannot be listed.
    """
    entries = chain.from_iterable(map(os.scandir, folders))
    return [entry.path for entry in entries if any(fnmatchcase(entry.name, p) for p in patterns) and entry.is_file()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that hold nothing, and the one around each if it then is empty, too."""
    for folder in folders:
        for empty in (folder, folder.parent):
            if not any(empty.iterdir()):
                empty.rmdir()
