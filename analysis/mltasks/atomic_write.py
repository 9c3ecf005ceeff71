"""A file is complete or absent: written under a temporary name beside its place, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mltasks import temporary
from mltasks.exceptions import UsageError, WriteError

NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # what a mount without it says to fsync


def check_writable(path: str | Path, force: bool) -> Path:
    """Return the path if a file may be written there; raises UsageError before any work is done."""
    place = Path(path)
    try:
        is_folder, is_there, has_folder = place.is_dir(), place.exists(), place.parent.is_dir()
    except OSError as error:
        raise UsageError(f"{place}: no name for a file ({error.strerror}); choose another one") from error
    if is_folder:
        raise UsageError(f"{place}: is a folder; name a file in it")
    if is_there and place.is_file() and not force:
        raise UsageError(f"{place}: exists already; choose another name, or overwrite it with --force")
    if not has_folder:
        raise UsageError(f"{place}: there is no folder {place.parent}; make it first")
    return place


@contextmanager
def atomic_path(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Hand out a temporary path that becomes `path` if all goes well, and vanishes if not.

    A link leads to its target; a file that is replaced keeps its mode; what is no regular file (a pipe, a device) is
    written through, once all is there. Raises UsageError where `path` exists and `force` is not set, WriteError where
    it cannot be written.
    """
    place = check_writable(path, force)
    if place.exists() and not place.is_file():  # before the link is followed: that of /dev/stdout may lead to no name
        with _through(place) as part:
            yield part
        return
    place = place.resolve() if place.is_symlink() else place
    with _translate_errors(place), temporary.file_beside(place) as part, _rename_at_end(part, place):
        yield part
        check_writable(place, force)  # somebody else may have been faster
        with suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(place.stat().st_mode))


def write_durable(path: Path, content: bytes | memoryview) -> None:
    """Write a file that is there whole or not at all, even if the power goes; it replaces one that is there.

    Raises WriteError where it cannot be written; what was there before is unharmed then, or is replaced by all of it.
    """
    part = path.with_name(f".mltasks-{secrets.token_hex(8)}.part")
    with _translate_errors(path):
        with _rename_at_end(part, path), part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _keep_names(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those around it, so that they are there even if the power goes; raises WriteError."""
    with _translate_errors(path):
        if not path.is_dir():
            make_folder(path.parent)
            path.mkdir(exist_ok=True)
            _keep_names(path.parent)


@contextmanager
def _rename_at_end(part: Path, place: Path) -> Iterator[None]:
    """Rename a temporary file if all goes well, else remove it."""
    try:
        yield
        part.replace(place)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is said
            part.unlink()
        raise


@contextmanager
def _through(place: Path) -> Iterator[Path]:
    """Hand out a temporary path whose content is then written into a pipe or a device."""
    with temporary.make_folder() as folder, _translate_errors(place):
        part = Path(folder) / place.name
        yield part
        with part.open("rb") as content, place.open("wb") as target:
            shutil.copyfileobj(content, target)


@contextmanager
def _translate_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else str(error)  # Arrow puts words of its own before these
        raise WriteError(f"{place}: cannot be written: {said}") from error


def syncs_folders(folder: Path) -> bool:
    """Tell whether the file system writes the names in a folder to the disk when asked; some network mounts refuse."""
    with _translate_errors(folder):
        return _keep_names(folder)


def _keep_names(folder: Path) -> bool:
    """Have the names in a folder written to the disk: a file's content is on it before; False where it is refused."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
        return False
    finally:
        os.close(opened)
    return True
