"""What stops DuckDB, in one line: memory, a disk, a file that is gone or damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from mltasks.exceptions import DataError, UsageError


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what DuckDB raises into UsageError and DataError."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"memory: {_first_line(error)}; set MLTASKS_MEMORY to more, such as 4GB, or choose less with since"
        ) from error
    except duckdb.IOException as error:
        remedy = "was it replaced or removed meanwhile, run the report again; of a store, mltasks verify tells more"
        raise DataError(f"the tasks cannot be read: {_first_line(error)}; {remedy}") from error
    except duckdb.Error as error:  # damaged bytes are met anywhere
        remedy = "is the file damaged? Of a store, mltasks verify tells more"
        raise DataError(f"the tasks cannot be read: {_first_line(error)}; {remedy}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
