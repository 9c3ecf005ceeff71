"""Made-up tasks on a server, and the quiet after them."""

from __future__ import annotations

import sys
import time

from live import made_up
from live.server import Server


def fill(server: Server, count: int) -> list[str]:
    """Add `count` tasks shaped like real ones and return their ids, once the server has put its segments together."""
    print(f"adding {count:,} tasks", file=sys.stderr)
    ids = made_up.fill(server, count)
    while server.ask("GET", f"/{made_up.TASKS}/_stats/merge")["_all"]["total"]["merges"]["current"]:
        time.sleep(1)
    return ids
