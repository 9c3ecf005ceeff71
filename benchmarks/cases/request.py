"""The least that a sync has to ask: the newest tasks and the count, over a new connection."""

from __future__ import annotations

import json
import re

from benchmarks.cases.case import PATH, TOTAL, connected, measure

QUESTION = {"size": 50, "sort": [{"_seq_no": "desc"}], "track_total_hits": True}


def read(url: str) -> int:
    """Return the number of tasks."""
    connection = connected(url)
    connection.request("POST", PATH, json.dumps(QUESTION), {"Content-Type": "application/json"})
    found = re.search(TOTAL, connection.getresponse().read())
    connection.close()
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    measure(read, None)
