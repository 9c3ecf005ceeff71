"""The folders of a store: immutable data files, and the partitions that any tool can read with a glob.

    _manifest.json                                     what is current
    _files/cluster=prod-eu/created=2026-11/3f0c.pq     data files; readers that know the manifest use these
    cluster=prod-eu/created=2026-11/3f0c.parquet       links to those that are current

A file that a sync replaces leaves the partitions at once, and `_files` when the next sync of its cluster begins:
whoever has read the manifest before can go on. Cluster and month live in the path only, the cluster percent-encoded.
Only files with names as they are given here are ever removed, and folders that are empty: the rest is somebody else's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mltasks import atomic_write
from mltasks.engines import data_files
from mltasks.exceptions import DataError, WriteError
from mltasks.store.manifest import StoredFile
from mltasks.tasks import schema

KEPT = "_files"
GONE = data_files.GONE.name
COLUMNS = pa.schema([field for field in data_files.SCHEMA if field.name != "cluster"])
IMPLAUSIBLE = "implausible"  # the partition of tasks without a time of creation that can be one
NO_LINKS = (errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
NAME = "[0-9a-f]" * 16
DATA, LINK, PART = f"{NAME}.pq", f"{NAME}.parquet", ".mltasks-*.part"


def months(rows: pa.Table, as_of_ms: int) -> pa.Array:
    """Return the partition of each row: its month of creation (UTC), such as 2026-11, or `implausible`."""
    created = rows["create_time"].combine_chunks()
    ms = created.cast(pa.int64())
    plausible = pc.and_(
        pc.greater_equal(ms, schema.EARLIEST_MS), pc.less_equal(ms, as_of_ms + schema.DAY_MS)
    ).fill_null(False)
    dated = pc.if_else(plausible, ms, 0).cast(pa.timestamp("ms"))  # a time without zone needs no data on zones
    return pc.if_else(plausible, pc.strftime(dated, "%Y-%m"), IMPLAUSIBLE)


def partition(cluster: str, month: str) -> str:
    """Return the folder of a cluster's month, as the names of folders tell it to every tool."""
    return f"cluster={quote(cluster, safe='')}/created={month}"


class StoreLayout:
    """The data files of a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, file: StoredFile) -> Path:
        """Return the path of a data file."""
        return self.folder / KEPT / file.path

    def link(self, file: StoredFile) -> Path:
        """Return the path of a current data file in the partitions."""
        return (self.folder / file.path).with_suffix(".parquet")

    def read(self, file: StoredFile, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of a file; raises DataError where it cannot be read, or has other columns."""
        wanted = pa.schema([COLUMNS.field(name) for name in columns or COLUMNS.names])
        try:
            with pq.ParquetFile(self.place(file)) as opened:
                return opened.read(wanted.names).select(wanted.names).cast(wanted)
        except (pa.ArrowException, OSError, KeyError) as error:
            said = " ".join(str(error).split())[:160]
            raise DataError(f"{self.place(file)}: {said}; mltasks verify {self.folder} tells more") from error

    def write(self, where: str, rows: pa.Table, generation: int) -> StoredFile:
        """Write rows as a new data file of a partition; raises WriteError."""
        path = f"{where}/{secrets.token_hex(8)}.pq"
        atomic_write.make_folder(self.folder / KEPT / where)
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        content = memoryview(sink.getvalue())
        atomic_write.write_durable(self.folder / KEPT / path, content)
        return describe_file(path, rows, content, generation)

    def sweep(self, wanted: Iterable[str], cluster: str) -> None:
        """Remove a cluster's data files that no state names any more, and what a killed sync has left.

        Those of other clusters stay until their own next sync. Raises WriteError.
        """
        keep = {self.folder / KEPT / path for path in wanted}
        with self._writing():
            its = partition(cluster, "").split("/")[0]
            folders = [folder for folder in _partitions(self.folder / KEPT) if folder.parent.name == its]
            for found in (*_named(folders, DATA, PART), *_named([self.folder], PART)):
                if found not in keep:
                    found.unlink()
            _remove_empty(folders)

    def publish(self, current: Iterable[StoredFile]) -> None:
        """Make the partitions hold exactly the current files, beside what is not ours; raises WriteError."""
        wanted = {self.link(file): self.place(file) for file in current}
        with self._writing():
            folders = _partitions(self.folder)
            there = {*_named(folders, LINK, PART)}
            for link in wanted.keys() - there:
                link.parent.mkdir(parents=True, exist_ok=True)
                _link(wanted[link], link)
            for link in there - wanted.keys():
                link.unlink()
            _remove_empty(folders)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"{error.filename or self.folder}: cannot be written: {error.strerror}") from error

    def links(self) -> set[Path]:
        """Return the files in the partitions that `publish` keeps right; raises OSError where some cannot be listed."""
        return {*_named(_partitions(self.folder), LINK)}

    def strangers(self) -> set[Path]:
        """Return the other files that a bare glob takes for tasks; what cannot be listed, a glob does not find."""
        found = {Path(at, name) for at, _, names in os.walk(self.folder) for name in names}
        return {path for path in found if path.suffix == ".parquet"} - self.links()


def describe_file(path: str, rows: pa.Table, content: memoryview, generation: int) -> StoredFile:
    """Return what the manifest keeps of a file."""
    created, updated = (pc.min_max(rows[name].cast(pa.int64())).as_py() for name in ("create_time", "last_update_time"))
    ended = pa.array([state for state, outcome in schema.STATES.items() if outcome != schema.OPEN])
    return StoredFile(
        path=path,
        rows=rows.num_rows,
        bytes=content.nbytes,
        sha256=hashlib.sha256(content).hexdigest(),
        generation=generation,
        open=rows.num_rows - pc.sum(pc.is_in(rows["state"], value_set=ended)).as_py(),
        gone=rows.num_rows - rows[GONE].null_count,
        first_ms=created["min"],
        last_ms=created["max"],
        latest_ms=updated["max"],
    )


def _link(source: Path, link: Path) -> None:
    try:
        os.link(source, link)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        with atomic_write.atomic_path(link) as part:  # a file system without links pays with space
            shutil.copyfile(source, part)


def _partitions(folder: Path) -> list[Path]:
    """Return the folders of partitions; raises OSError where a glob would leave some out."""
    found = [folder] if folder.is_dir() else []
    for pattern in ("cluster=*", "created=*"):
        found = [path for at in found for path in at.iterdir() if fnmatchcase(path.name, pattern) and path.is_dir()]
    return found


def _named(folders: Iterable[Path], *patterns: str) -> list[Path]:
    """Return the files in folders that have one of the names; raises OSError where a folder cannot be listed."""
    there = [path for folder in folders for path in folder.iterdir()]
    return [path for path in there if any(fnmatchcase(path.name, p) for p in patterns) and path.is_file()]


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that hold nothing, and the one around each if it then is empty, too."""
    for folder in folders:
        for empty in (folder, folder.parent):
            if not any(empty.iterdir()):
                empty.rmdir()
