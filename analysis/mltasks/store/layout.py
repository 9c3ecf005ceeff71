"""The folders of a store: immutable data files, and the partitions that any tool can read with a glob.

    _manifest.json                                     what is current
    _files/cluster=prod-eu/created=2026-11/3f0c.pq     data files; readers that know the manifest use these
    cluster=prod-eu/created=2026-11/3f0c.parquet       links to those that are current

A file that a sync replaces leaves the partitions at once, and `_files` when a sync of its cluster begins an hour later:
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mltasks import atomic_write
from mltasks.engines import data_files
from mltasks.exceptions import DataError, WriteError, in_one_line
from mltasks.store import id_index
from mltasks.store.data_folder import DataFolder, wrong_size
from mltasks.store.manifest import StoredFile
from mltasks.store.orphans import find_files, remove_empty
from mltasks.store.paths import DAMAGED_FOLDER, DATA_FOLDER, LINK, PART, partition_folders
from mltasks.tasks import schema
from mltasks.tasks.parquet_options import parquet_options

GONE = data_files.GONE.name
FULL = 15_000  # rows: a file does not grow beyond; it is what a change of one finished task writes anew
# what a file system answers that has no hard links, or no more of them, or none for us
LINKS_REFUSED = (errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)


@dataclass(frozen=True)
class NewDataFile:
    """A data file that is not written yet: as the manifest names it, its bytes, and the index of its ids."""

    file: StoredFile
    content: memoryview
    index: bytes


class StoreLayout(DataFolder[Path]):
    """The data files of a store, and how they are written."""

    @property
    def remedy(self) -> str:
        """What to do about a damaged file."""
        return f"put back a copy of it, or mltasks sync --repair SOURCE {self.folder} reads its tasks again"

    def link_path(self, file: StoredFile) -> Path:
        """Return the path of a current data file in the partitions."""
        return Path(self._link_name(file))

    def _link_name(self, file: StoredFile) -> str:
        """Return that path as a text: a store has thousands of files."""
        return f"{self.folder}/{file.path.removesuffix('.pq')}.parquet"

    def read(self, file: StoredFile, content: bytes | None = None) -> pa.Table:
        """Return the rows of a file that is as it was written; raises DataError, and nothing is made of it.

        All columns of this version, and those of a newer one that has written the file. `content`: if it is at hand.
        """
        with self._advise():
            return self.parse(file, content or self.content(file))

    def read_content(self, file: StoredFile) -> bytes:
        """Return the bytes of a file that is as it was written; raises DataError."""
        with self._advise():
            return self.content(file)

    @contextmanager
    def _advise(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise DataError(f"{error}; {self.remedy}") from error

    def read_columns(self, file: StoredFile, columns: Sequence[str], content: bytes | None = None) -> pa.Table:
        """Return some columns of this version, without a look at the rest of the file; raises DataError."""
        wanted = pa.schema([data_files.FILE_SCHEMA.field(name) for name in columns])
        source = pa.BufferReader(content) if content else self.data_path(file)
        try:
            with pq.ParquetFile(source, page_checksum_verification=True) as opened:
                self.check_columns(file, opened.schema_arrow.names)
                return data_files.with_schema(opened.read([n for n in columns if n in file.columns]), wanted)
        except (pa.ArrowException, OSError, KeyError) as error:
            raise DataError(f"{self.data_path(file)}: {in_one_line(error)}; {self.remedy}") from error

    def may_contain(self, file: StoredFile, hashes: id_index.Hashes) -> id_index.Mask:
        """Tell which ids may be in a file; all may, where its index is damaged, or an older version made none."""
        try:
            return id_index.may_contain(self._index_path(file), hashes)
        except (FileNotFoundError, ValueError):
            return np.ones(len(hashes), bool)
        except OSError as error:
            raise DataError(f"{error.filename or self.data_path(file)}: {error.strerror}; {self.remedy}") from error

    def _index_path(self, file: StoredFile) -> Path:
        return Path(f"{self.folder}/{DATA_FOLDER}/{file.path.removesuffix('.pq')}.ids")

    def write(self, where: str, rows: pa.Table, generation: int) -> StoredFile:
        """Write rows as a new data file of a partition; raises WriteError."""
        new = encode_file(where, rows, generation)
        self.save(new)
        return new.file

    def save(self, new: NewDataFile) -> None:
        """Write a new data file and the index of its ids; raises WriteError."""
        place = self.data_path(new.file)
        atomic_write.make_folder(place.parent)
        atomic_write.write_durable(self._index_path(new.file), new.index)
        atomic_write.write_durable(place, new.content)

    def shrink_index(self, file: StoredFile, hashes: id_index.Hashes) -> bytes | None:
        """Return the index of a file without some ids; None where the file has none that is whole."""
        try:
            return id_index.remove_ids(self._index_path(file).read_bytes(), hashes)
        except (OSError, ValueError):
            return None

    def publish_links(self, current: Iterable[StoredFile]) -> int:
        """Make the partitions hold exactly the current files, beside what is not ours; raises WriteError.

        Return how many of them had to be copied, since the file system refuses links.
        """
        copies = 0
        wanted = {self._link_name(file): file for file in current}
        with self._translate_errors():
            folders = partition_folders(self.folder)
            links = {*find_files(folders, LINK, PART)}
            for link in wanted.keys() - links:
                Path(link).parent.mkdir(parents=True, exist_ok=True)
                copies += not _link(self.data_path(wanted[link]), Path(link))
            for link in links - wanted.keys():
                Path(link).unlink()
            remove_empty(folders)
        return copies

    def find_damaged_files(self, files: Iterable[StoredFile], *, whole: bool) -> dict[StoredFile, str]:
        """Return the files that are missing or cut, and why; `whole`: also those with other bytes."""
        problems: dict[StoredFile, str] = {}
        for file in files:
            try:
                if whole:
                    self.content(file)
                elif (size := self.data_path(file).stat().st_size) != file.bytes:
                    raise wrong_size(self.data_path(file), size, file)
            except OSError as error:
                problems[file] = f"{self.data_path(file)}: {error.strerror}"
            except DataError as error:
                problems[file] = str(error)
        return problems

    def set_aside(self, file: StoredFile) -> None:
        """Move a damaged file out of the way, if it is there; raises WriteError."""
        place = self.folder / DAMAGED_FOLDER / file.path
        atomic_write.make_folder(place.parent)
        with self._translate_errors(), suppress(FileNotFoundError):
            self.data_path(file).replace(place)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"{error.filename or self.folder}: cannot be written: {error.strerror}") from error

    def links(self) -> set[Path]:
        """Return the files in the partitions that `publish` keeps right; raises OSError where some cannot be listed."""
        return {Path(path) for path in find_files(partition_folders(self.folder), LINK)}

    def foreign_files(self) -> set[Path]:
        """Return the other files that a bare glob takes for tasks; what cannot be listed, a glob does not find."""
        paths = {Path(at, name) for at, _, names in os.walk(self.folder) for name in names}
        return {path for path in paths if path.suffix == ".parquet"} - self.links()


def encode_file(where: str, rows: pa.Table, generation: int, index: bytes | None = None) -> NewDataFile:
    """Return rows as a new data file of a partition; `index`: of their ids, if it is known."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **parquet_options(rows.schema))
    content = memoryview(sink.getvalue())
    index = index or id_index.build(id_index.hash_ids(rows["task_id"].drop_null().to_pylist()))
    return NewDataFile(describe_file(f"{where}/{secrets.token_hex(8)}.pq", rows, content, generation), content, index)


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
        columns=tuple(rows.column_names),
    )


def _link(source: Path, link: Path) -> bool:
    """Link a file, or copy it where the file system refuses; tell whether it was linked."""
    try:
        os.link(source, link)
    except OSError as error:
        if error.errno not in LINKS_REFUSED:
            raise
        with atomic_write.atomic_path(link) as part:  # a file system without links pays with space
            shutil.copyfile(source, part)
        return False
    return True
