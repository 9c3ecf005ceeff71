"""What stops Spark, in one line: a session that is gone, a client of S3 that lacks, a file, memory, or Ctrl-C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mltasks.engines import spark_objects
from mltasks.exceptions import DataError, UsageError

GONE = re.compile(
    "SparkContext was shut down|stopped SparkContext|SparkContext has been|Connection refused|NO_ACTIVE_SESSION|"
    "SESSION_OR_CONTEXT_NOT_EXISTS|SESSION_CLOSED|SESSION_CHANGED|UNAVAILABLE|Answer from Java side is empty"
)
NO_CLIENT = re.compile(
    r"(\w+)FileSystem not found|No FileSystem for scheme \"?(\w+)|NoClassDefFoundError: software/amazon/(s3|awssdk)"
)
SAYS_NOTHING = re.compile(r"\[INTERNAL_ERROR\]|Exception thrown in awaitResult")  # but what it was caused by does


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what Spark raises into UsageError and DataError."""
    try:
        yield
    except Exception as error:
        is_gone = isinstance(error, AssertionError | AttributeError) and not _has_session()
        if not is_gone and type(error).__module__.partition(".")[0] not in ("pyspark", "py4j", "grpc"):
            raise
        text = _first_line(error)
        missing = NO_CLIENT.search(str(error))
        described = None if missing else spark_objects.describe(str(error), _session())
        if described is not None:  # before a session that is gone, of which a refused connection tells, too
            raise described from error
        if is_gone or GONE.search(str(error)) or type(error).__name__ in ("Py4JNetworkError", "_InactiveRpcError"):
            why = "it was stopped" if is_gone else text
            raise UsageError(f"the Spark session is gone ({why}); make a new one, and the frame with it") from error
        if missing:
            raise UsageError(
                f"Spark has no client for {(missing[1] or missing[2] or 's3a').lower()}://; add its jar, for S3 with "
                "PYSPARK_SUBMIT_ARGS='--packages org.apache.hadoop:hadoop-aws:VERSION pyspark-shell', of the version "
                "of Spark's own Hadoop"
            ) from error
        if type(error).__name__ == "AnalysisException":
            raise UsageError(f"Spark does not take it: {text}") from error
        raise DataError(f"the tasks cannot be read by Spark: {text}; is a file damaged, or gone meanwhile?") from error


def _has_session() -> bool:
    """Tell whether a session runs: of one that was stopped, pyspark's functions raise what a mistake of ours would."""
    return _session() is not None


def _session() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _first_line(error: Exception) -> str:
    lines = [line.strip().removeprefix(": ") for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("An error occurred while calling")]  # by py4j
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    if causes and SAYS_NOTHING.search(lines[0]):
        return causes[-1][:200]
    return (lines[0] if lines else type(error).__name__)[:200]
