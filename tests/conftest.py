"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A developer's run looks for new examples each time; CI judges a change, so that the same change gets the same verdict.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")
