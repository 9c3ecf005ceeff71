"""What holds for all tests."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

from live import groups

# A developer's run looks for new examples each time; CI judges a change, so that the same change gets the same verdict.
# Neither judges how long an example takes: the machine may be busy.
settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=10)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "developer")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> groups.ByServer:
    """Give each process the tests of servers of its own."""
    return groups.ByServer(config, log)
