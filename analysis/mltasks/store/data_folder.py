"""The data files of a store, local or published, and the proof that one is as it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from mltasks.engines import data_files
from mltasks.exceptions import DataError, in_one_line
from mltasks.object_storage.path import ObjectPath, Place
from mltasks.store.manifest import StoredFile
from mltasks.store.paths import DATA_FOLDER

P = TypeVar("P", Path, ObjectPath)


class DataFolder(Generic[P]):
    """The data files below a folder, or a prefix in object storage."""

    def __init__(self, folder: P) -> None:
        self.folder: P = folder

    def data_path(self, file: StoredFile) -> P:
        """Return the path of a data file."""
        return self.folder / DATA_FOLDER / file.path

    def content(self, file: StoredFile) -> bytes:
        """Return the bytes of a file; raises DataError where they are not those that were written."""
        place = self.data_path(file)
        try:
            content = place.read_bytes()
        except OSError as error:
            raise DataError(f"{place}: {error.strerror}") from error
        if len(content) != file.bytes:
            raise wrong_size(place, len(content), file)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise DataError(f"{place}: its bytes are not those that were written")
        return content

    def parse(self, file: StoredFile, content: bytes) -> pa.Table:
        """Return the rows in the bytes of a file; raises DataError where they are something else."""
        try:
            rows = pq.read_table(pa.BufferReader(content), page_checksum_verification=True).replace_schema_metadata()
            self.check_columns(file, rows.column_names)
            return data_files.with_schema(rows, data_files.FILE_SCHEMA)
        except (pa.ArrowException, OSError, KeyError) as error:
            raise DataError(f"{self.data_path(file)}: {in_one_line(error)}") from error

    def check_columns(self, file: StoredFile, names: Sequence[str]) -> None:
        """Raise DataError where a file has other columns than the manifest says."""
        if different := sorted({*names} ^ {*file.columns}):
            raise DataError(
                f"{self.data_path(file)}: its columns are not those of the manifest: {', '.join(different)[:160]}"
            )


def wrong_size(place: Place, size: int, file: StoredFile) -> DataError:
    """Return the error for a file of another size than the manifest says."""
    return DataError(f"{place}: has {size} bytes instead of {file.bytes}")
