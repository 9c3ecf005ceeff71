"""A duration as people read it."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Return seconds as `62ms`, `13.5s`, `2m15s`, `3h05m` or `2d04h`."""
    if not math.isfinite(seconds):
        return str(seconds)
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if round(seconds * 1000) < 1000:
        return f"{round(seconds * 1000)}ms" if seconds == 0 or round(seconds * 1000) else "<1ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for limit, big, small, letters in (
        (3600, 60, 1, "ms"),
        (86400, 3600, 60, "hm"),
        (math.inf, 86400, 3600, "dh"),
    ):
        rounded = round(whole / small)
        if rounded * small < limit:
            return f"{rounded * small // big}{letters[0]}{rounded * small % big // small:02d}{letters[1]}"
    raise AssertionError("the last limit holds for every number")
