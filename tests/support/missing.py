"""What a test needs of the machine, where it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn, TypeVar

import pytest

from live.java import MissingError

Server = TypeVar("Server")


def fail_or_skip(reason: str) -> NoReturn:
    """Fail in CI, where everything that tests need has to be there; elsewhere skip what needs the thing missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)  # the only skip of a thing missing: each caller says which one, and how to get it


@contextmanager
def or_skip(started: AbstractContextManager[Server]) -> Iterator[Server]:
    """Yield a server that runs; where its program is missing, as `fail_or_skip` with what it says of that."""
    try:
        with started as server:
            yield server
    except MissingError as error:
        fail_or_skip(str(error))
