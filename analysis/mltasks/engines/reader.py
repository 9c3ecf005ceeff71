"""What reads files and stores for reports: an engine, and its session where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import pyarrow as pa

from mltasks.engines.base import Engine, import_engine
from mltasks.engines.engine_names import LOCAL, check_engine
from mltasks.object_storage.path import Place
from mltasks.tasks.metadata import Context

if TYPE_CHECKING:
    from mltasks.engines.data_files import DataFiles


class ReadingEngine(Engine, Protocol):
    """An engine that reads files itself."""

    def scan(self, rows: pa.Table | Place | DataFiles, session: Any) -> Any:
        """Return rows, a Parquet file, a folder of such, or the files of a store as a frame of this engine."""

    def open_session(self, session: Any, settings: Mapping[str, str]) -> Any:
        """Return the session to read in: the one that is given, or a new one by these settings."""


@dataclass(frozen=True)
class Reader:
    """An engine of READERS and its session."""

    engine: str = LOCAL
    session: Any = None
    is_explicit: bool = False  # somebody named the engine, so it is taken for few tasks in memory, too

    @property
    def is_local(self) -> bool:
        """Whether it reads on this machine, in this process."""
        return self.engine == LOCAL

    def scan(self, rows: pa.Table | Place | DataFiles) -> Any:
        """Return rows in memory, Parquet files or those of a store as a frame of which a report reads what it needs."""
        return _import_reader(self.engine).scan(rows, self.session)

    def open_files(self, path: Place) -> tuple[Any, Context]:
        """Return anybody's Parquet file, or folder of such, with each task once, and what is known of it."""
        return _import_reader(self.engine).open_frame(self.scan(path), ())


def make_reader(engine: str | None = None, session: Any = None, settings: Mapping[str, str] | None = None) -> Reader:
    """Return the reader of an engine; raises UsageError where there is no such engine or it cannot be started."""
    if engine is not None:
        check_engine(engine)
    name = engine or LOCAL
    if name == LOCAL and session is None and not settings:
        return Reader(is_explicit=engine is not None)
    return Reader(name, _import_reader(name).open_session(session, settings or {}))


def _import_reader(name: str) -> ReadingEngine:
    return cast("ReadingEngine", import_engine(name))
