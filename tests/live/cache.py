"""The cache folder: what takes long to make is made once and kept outside the repository."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

# OpenSearch refuses to run as root. This number is `nobody` nearly everywhere, and needs no account.
SERVER_USER = 65534
KEPT_FOR = 30 * 24 * 3600.0


def as_root() -> bool:
    """Whether the server has to run as another user than this process."""
    return os.geteuid() == 0


def server_can_read(path: Path) -> bool:
    """Whether the user that the server runs as can come to `path` and list it."""
    if not as_root():
        return os.access(path, os.R_OK | os.X_OK)
    reachable = all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
    return reachable and bool(path.stat().st_mode & 0o004)


def cache_folder() -> Path:
    """MLTASKS_TEST_CACHE, else a folder of this user's; as root one that the server's user can read."""
    if given := os.environ.get("MLTASKS_TEST_CACHE"):
        folder = Path(given).absolute()
    elif as_root():
        folder = Path("/var/tmp/mltasks-opensearch")
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mltasks-opensearch"
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    # /var/tmp is open to all: what is run from there must not come from somebody else
    if folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user; set MLTASKS_TEST_CACHE to a folder of your own")
    if not server_can_read(folder):
        raise PermissionError(
            f"{folder} cannot be read by user {SERVER_USER}, which the server runs as; "
            f"set MLTASKS_TEST_CACHE to a folder that everybody can read"
        )
    return folder


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache, filled by `build` where it is missing.

    `build` gets an empty folder, which is given its name in one step at the end: nobody sees half a folder.
    Of several processes one builds, and the others wait for it.
    """
    folder = cache_folder()
    target = folder / name
    with FileLock(folder / ".lock"):  # Maven does not like another one beside itself
        if not target.is_dir():
            _build(folder, target, build)
            _forget_unused(folder)
    os.utime(target)  # says that it is in use
    return target


def _build(folder: Path, target: Path, build: Callable[[Path], None]) -> None:
    mask = os.umask(0o022)  # the server's user has to read it, whatever the developer's own mask
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=folder))
    try:
        build(building)
        building.chmod(0o755)
        building.rename(target)
    finally:
        os.umask(mask)
        shutil.rmtree(building, ignore_errors=True)


def _forget_unused(folder: Path) -> None:
    """Remove what no session used for a month: a server is 440 MB, and each change of its recipe adds one."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.stat().st_mtime < time.time() - KEPT_FOR:
            shutil.rmtree(entry, ignore_errors=True)
