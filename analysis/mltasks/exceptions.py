"""What can go wrong: one error with four kinds, each with the exit code of the command, and three warnings."""

from __future__ import annotations


class Error(Exception):
    """Everything that mltasks raises on purpose; its text is one line: place, value and remedy."""

    exit_code = 70


class UsageError(Error):
    """The call is off: an unknown column, a time that cannot be read, a file that is not there."""

    exit_code = 2


class KeywordError(UsageError, TypeError):
    """A function was called with a keyword that it does not have; the text names the near one."""


class ClusterError(Error):
    """A cluster could not be asked: connection, credentials, permission, no such endpoint, retries exhausted."""

    exit_code = 3


class StorageError(ClusterError):
    """Object storage could not be asked: connection, credentials, permission, or an endpoint that is something else."""


class EngineError(ClusterError):
    """An engine could not be asked: nothing answers at its address, or no session could be started."""


class DataError(Error):
    """The data is incomplete or cannot be read; nothing smaller is handed out in its place."""

    exit_code = 4


class WriteError(Error):
    """A result could not be written; whatever stood there before is unharmed."""

    exit_code = 5


class TaskDataWarning(UserWarning):
    """Some values of a load could not be read; they are null, counted, and kept in the column `extra`."""


class InsecureWarning(UserWarning):
    """A secret is less safe than it could be: an unchecked certificate, plain http, a file that others can read."""


class ConfigNotice(UserWarning):
    """Which file with clusters is used, where it is not the user's own, or why one is not used."""


def in_one_line(error: Exception) -> str:
    """Return what a library says, short and on one line."""
    return " ".join(str(error).split())[:160]
