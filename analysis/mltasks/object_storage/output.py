"""Where a result is written: a file, or an object, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltasks import atomic_write, temporary
from mltasks.exceptions import UsageError
from mltasks.object_storage.path import ObjectPath, Place, place_of


def is_folder(path: str) -> bool:
    """Tell whether a path names a folder of this machine: there is one, or it ends as only folders do."""
    place = place_of(path)
    if not isinstance(place, Path):
        return False
    try:
        return path.endswith("/") or place.is_dir()
    except OSError:  # no name for a file; whoever writes it says so
        return False


def check_writable(path: str | Place, force: bool) -> Place:
    """Return the place if a file or an object may be written there; raises UsageError before any work is done."""
    place = place_of(path)
    if isinstance(place, Path):
        if isinstance(path, str) and is_folder(path):
            raise UsageError(f"{path}: is a folder; name a file in it")
        return atomic_write.check_writable(place, force)
    if not place.key or str(path).endswith("/"):
        raise UsageError(f"{path}: is a prefix; name an object, such as {place / 'tasks.parquet'}")
    from mltasks.object_storage.filesystem import check_endpoint  # here, since an error of usage needs no pyarrow

    check_endpoint(place)
    with place.reasons():
        exists = place.is_file()
    if exists and not force:
        raise _exists(place)
    if not exists:
        place.check_bucket()
    return place


@contextmanager
def atomic_path(path: str | Place, force: bool = False) -> Iterator[Path]:
    """Hand out a temporary path that becomes a file or an object if all goes well, and vanishes if not.

    Raises UsageError where there is one and `force` is not set, WriteError or StorageError where it cannot be written.
    """
    place = check_writable(path, force)
    if isinstance(place, Path):
        with atomic_write.atomic_path(place, force) as part:
            yield part
        return
    with temporary.make_folder() as folder:
        part = Path(folder, "tasks" + "".join(Path(place.name).suffixes[-2:]))
        yield part
        _upload(part, place, force)


def _upload(part: Path, place: ObjectPath, force: bool) -> None:
    if place.scheme != "s3":
        place.write_file(part)
        return
    from mltasks.object_storage import s3_client

    try:
        s3_client.upload(part, place, new=not force)
    except s3_client.ConditionError:  # somebody else was faster
        raise _exists(place) from None


def _exists(place: ObjectPath) -> UsageError:
    return UsageError(f"{place}: exists already; choose another name, or overwrite it with --force")
