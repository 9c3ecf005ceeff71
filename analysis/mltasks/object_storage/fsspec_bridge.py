"""Objects as a file system of fsspec, which is the kind that DuckDB takes: it reads the ranges it needs, no others."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa

from mltasks.exceptions import DataError
from mltasks.object_storage.errors import translate_errors
from mltasks.object_storage.path import SCHEMES, ObjectPath, parse_url

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # DuckDB keeps what it has read: an object is not watched for changes


class ObjectFileSystem(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec is not annotated, so that its class has no known type
    """The objects that a connection of DuckDB reads; each is asked for its size once, however often it is opened."""

    protocol = tuple(dict.fromkeys(SCHEMES.values()))
    cachable = False  # fsspec would hand out the one of another connection

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[str, _Object] = {}
        self._lock = threading.Lock()

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself: it is an object's, whatever characters are in it."""
        return [path]

    def unstrip_protocol(self, name: str) -> str:
        """Return the path itself, which has its protocol."""
        return name

    def open(self, path: str, mode: str = "rb", **_: Any) -> ObjectHandle:
        """Return a handle of an object of its own position."""
        return ObjectHandle(self._object(path))

    def size(self, path: str) -> int:
        """Return the size of an object [bytes]."""
        return self._object(path).size

    def get_modification_time(self, path: str) -> datetime:
        """Return a time that is always the same, and long enough ago that DuckDB trusts it."""
        return LONG_AGO

    modified = get_modification_time  # as fsspec calls it

    def exists(self, path: str, **_: Any) -> bool:
        """Tell that there is such an object; opening it says more."""
        return True

    def _object(self, path: str) -> _Object:
        with self._lock:
            if path not in self._objects:
                self._objects[path] = _Object(parse_url(path))
            return self._objects[path]


class _Object:
    """An object that is open for reading at any place, by any thread."""

    def __init__(self, place: ObjectPath) -> None:
        self.place = place
        try:
            self._file: pa.NativeFile = place.open()
        except FileNotFoundError:
            raise DataError(f"{place}: is missing; publish the store again, or look at the prefix") from None
        self.size: int = self._file.size()

    def read(self, count: int, offset: int) -> bytes:
        """Return some bytes from a place on."""
        with translate_errors(self.place):
            content: bytes = self._file.read_at(count, offset)
            return content


class ObjectHandle:
    """A position in an object, moved and read as Python's files are."""

    def __init__(self, content: _Object) -> None:
        self._content = content
        self._position = 0

    def seek(self, position: int) -> int:
        """Move to a position from the beginning."""
        self._position = position
        return position

    def read(self, count: int) -> bytes:
        """Return some bytes from the position on, and move behind them."""
        content = self._content.read(count, self._position)
        self._position += len(content)
        return content

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Let go of the handle; the object stays open for others."""
