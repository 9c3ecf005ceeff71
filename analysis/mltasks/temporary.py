"""Temporary files and folders, locked by the process that made them, so that the next one removes what a kill left.

A lock ends with its process, however that ends. Where a file system knows no locks, nothing is removed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

if sys.platform != "win32":
    import fcntl

FILE = f".mltasks-{'[0-9a-f]' * 16}.held.part"  # the store removes all .mltasks-*.part of its own folders
PREFIX, LOCK = "mltasks-", ".lock"


@contextmanager
def file_beside(place: Path) -> Iterator[Path]:
    """Hand out the path of a temporary file in the folder of `place`; what becomes of the file is the caller's."""
    remove_stale_files(place.parent)
    part, lock = place, None
    while lock is None:
        part = place.with_name(f".mltasks-{secrets.token_hex(8)}.held.part")  # short: any name that fits is a good one
        lock = _create_locked(part)
    try:
        yield part
    finally:
        if lock >= 0:
            os.close(lock)


def make_folder() -> TemporaryDirectory[str]:
    """Return a new folder that nobody else can read; it vanishes with the process."""
    if sys.platform == "win32":
        return TemporaryDirectory(prefix=PREFIX)
    _remove_stale_folders()
    while True:
        folder = TemporaryDirectory(prefix=PREFIX)
        with suppress(OSError):  # another process took it for a stale one before it was locked
            lock = _create_locked(Path(folder.name) / LOCK)
            if lock is not None:  # it stays open as long as the process lives
                return folder


def remove_stale_files(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    with suppress(OSError):
        for path in folder.glob(FILE):
            with suppress(OSError), _stale(path):
                path.unlink()


def _remove_stale_folders() -> None:
    """Remove the user's temporary folders whose processes were killed."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            if lock.lstat().st_uid == os.geteuid():
                with _stale(lock):
                    shutil.rmtree(lock.parent, ignore_errors=True)


def _create_locked(path: Path) -> int | None:
    """Make a file and lock it; return its descriptor (-1 without locks), None where it was removed in between."""
    if sys.platform == "win32":
        return -1
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
        return descriptor
    os.close(descriptor)
    return None


@contextmanager
def _stale(path: Path) -> Iterator[None]:
    """Hold the lock of a file whose process is gone; raises OSError where it is not."""
    if sys.platform == "win32":
        raise OSError("no locks here")
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
