"""The place of an object, such as s3://bucket/prefix/tasks.parquet, with what `pathlib.Path` offers of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mltasks.exceptions import StorageError, UsageError
from mltasks.object_storage.errors import no_bucket, translate_errors

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs as pafs

SCHEMES = {  # as tools call it -> as pyarrow does
    "s3": "s3",
    "s3a": "s3",
    "s3n": "s3",
    "gs": "gs",
    "gcs": "gs",
    "abfs": "abfs",
    "abfss": "abfss",
}
NOTHING = "No such file or directory"  # what pyarrow says of an empty list of Google's, as an error without a number


@dataclass(frozen=True)
class ObjectPath:
    """An object, or the prefix of some: the scheme of pyarrow, the bucket as a URL has it, and the key."""

    scheme: str
    bucket: str
    key: str = ""

    def __str__(self) -> str:
        """Return the URL."""
        return f"{self.scheme}://{self.bucket}{'/' if self.key else ''}{self.key}"

    def __truediv__(self, name: str) -> ObjectPath:
        """Return the place of a name below this one."""
        return ObjectPath(self.scheme, self.bucket, f"{self.key}/{name}" if self.key else name)

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def location(self) -> str:
        """The path as pyarrow's file systems take it; what stands before an @ of Azure is the container."""
        bucket = self.bucket.partition("@")[0]
        return f"{bucket}/{self.key}" if self.key else bucket

    def with_suffix(self, suffix: str) -> ObjectPath:
        """Return the place with another suffix of the name."""
        return ObjectPath(self.scheme, self.bucket, str(PurePosixPath(self.key).with_suffix(suffix)))

    def open(self) -> pa.NativeFile:
        """Open the object for reading; raises FileNotFoundError where there is none, StorageError, UsageError."""
        with translate_errors(self):
            return self._filesystem().open_input_file(self.location)

    def read_bytes(self) -> bytes:
        """Return the content; raises as `open` does."""
        with self.open() as file, translate_errors(self):
            content: bytes = file.read()
            return content

    def write_file(self, path: Path) -> None:
        """Write a file as this object, in parts that become one at the end; raises StorageError, UsageError."""
        import pyarrow.fs as pafs

        try:
            with translate_errors(self):
                pafs.copy_files(str(path), self.location, pafs.LocalFileSystem(), self._filesystem())
        except FileNotFoundError:  # of what an object is written to, only the bucket has to be there
            raise no_bucket(self) from None

    def is_file(self) -> bool:
        """Tell whether there is an object of this key; raises StorageError, UsageError."""
        with translate_errors(self):
            return bool(self.key) and self._filesystem().get_file_info(self.location).is_file

    def objects(self) -> dict[ObjectPath, ObjectInfo]:
        """Return the objects below this prefix, and what a listing says of them; raises StorageError, UsageError."""
        return dict(self._list())

    def check_bucket(self) -> None:
        """Raise UsageError where there is no such bucket, as far as the credentials in use are told."""
        with suppress(StorageError):
            self.objects()

    @contextmanager
    def reasons(self) -> Iterator[None]:
        """Raise what a listing is refused for, where an object is: the answer to that has no room for a reason."""
        try:
            yield
        except StorageError:
            if self.scheme == "s3":
                self.objects()
            raise

    def _list(self) -> Iterator[tuple[ObjectPath, ObjectInfo]]:
        with translate_errors(self):
            entries = self._entries()
        for entry in entries:
            if entry.is_file and entry.path.startswith(f"{self.location}/"):
                relative = entry.path.removeprefix(f"{self.location}/")
                yield self / relative, ObjectInfo(relative, entry.size)

    def _entries(self) -> list[pafs.FileInfo]:
        import pyarrow.fs as pafs

        try:  # asked to allow for nothing there, pyarrow would allow for a bucket that is not there
            entries: list[pafs.FileInfo] = self._filesystem().get_file_info(
                pafs.FileSelector(self.location, recursive=True)
            )
        except FileNotFoundError:
            if self.scheme == "gs":  # there it is the bucket: where there is nothing, the list is empty
                raise no_bucket(self) from None
            return []
        except OSError as error:
            if self.scheme == "gs" and str(error).startswith(NOTHING):
                return []
            raise
        return entries

    def _filesystem(self) -> pafs.FileSystem:
        from mltasks.object_storage.filesystem import open_filesystem

        return open_filesystem(self)


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing says of an object: its key below the prefix, and its size [bytes]."""

    relative: str
    size: int


Place = Path | ObjectPath


def is_object_url(text: object) -> bool:
    """Tell whether a text is the URL of an object or a prefix, and not of a cluster."""
    return isinstance(text, str) and text.partition("://")[0].lower() in SCHEMES and "://" in text


def parse_url(url: str) -> ObjectPath:
    """Return the place that a URL names; raises UsageError for one with credentials or options, or without a bucket."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    user, at, _ = bucket.rpartition("@")
    if at and (":" in user or not scheme.lower().startswith("abfs")):
        raise UsageError(
            f"{scheme}:// with an '@': credentials in a URL end up in logs; leave them to the environment "
            "(AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        )
    if "?" in rest:
        raise UsageError(
            f"{url.partition('?')[0]}: options in the URL of an object are not taken; set AWS_ENDPOINT_URL, AWS_REGION "
            "and such in the environment"
        )
    if not bucket:
        raise UsageError(f"{url}: names no bucket; say for instance {scheme}://bucket/prefix")
    return ObjectPath(SCHEMES[scheme.lower()], bucket, key.strip("/"))


def place_of(path: str | Path | ObjectPath) -> Place:
    """Return a path, or the place that the URL of an object names; raises UsageError."""
    if isinstance(path, str) and is_object_url(path):
        return parse_url(path)
    return Path(path) if isinstance(path, str) else path
