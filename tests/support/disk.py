"""A disk that fills up, without filling one."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(size: int = 100) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: the system refuses the write as on a full disk.

    It holds for the block alone: outside it, the runner of the tests may have to write to a file, too. Meanwhile Python
    keeps no module that it compiles: Python 3.11 would keep it cut off, and no later process could import it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    keeps_none = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = keeps_none
