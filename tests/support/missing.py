"""What a test needs of the machine, where it is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def fail_or_skip(reason: str) -> NoReturn:
    """Fail in CI, where everything that tests need has to be there; elsewhere skip what needs the thing missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)  # the only skip of a thing missing: each caller says which one, and how to get it
