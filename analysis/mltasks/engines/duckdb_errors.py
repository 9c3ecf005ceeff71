"""What stops DuckDB, in one line: memory, a disk, a file that is gone or damaged, or Ctrl-C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from mltasks.exceptions import DataError, StorageError, UsageError

OURS = {error.__name__: error for error in (DataError, StorageError, UsageError)}
RAISED = re.compile(rf"^(?:[\w.]+\.)?({'|'.join(OURS)}): (.+)$", re.MULTILINE)  # in the traceback that DuckDB keeps
INTERRUPTED = ("Query interrupted", "KeyboardInterrupt")  # the latter: in a function that DuckDB has called


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what DuckDB raises into UsageError, DataError and KeyboardInterrupt."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        if isinstance(error, duckdb.InterruptException) or any(text in str(error) for text in INTERRUPTED):
            raise KeyboardInterrupt from error
        if not isinstance(error, duckdb.Error):
            raise
        if match := RAISED.search(str(error)):  # by the file system of ours that it reads from
            raise OURS[match[1]](match[2]) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise UsageError(
                f"memory: {_first_line(error)}; set MLTASKS_MEMORY to more, such as 4GB, or choose less with since"
            ) from error
        raise DataError(f"the tasks cannot be read: {_first_line(error)}; {_remedy(error)}") from error


def _remedy(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.IOException):
        return "was it replaced or removed meanwhile, run the report again; of a store, mltasks verify tells more"
    return "is the file damaged? Of a store, mltasks verify tells more"  # damaged bytes are met anywhere


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
