"""The limit: our pages along `_seq_no`, received and thrown away, by the standard library's client."""

from __future__ import annotations

import json
import re

from benchmarks.cases.case import PAGE, PATH, TOTAL, connected, measure

NUMBER = b'"_seq_no":'


def read(url: str) -> int:
    """Return the number of hits received."""
    connection = connected(url)
    after, rows, rest = -1, 0, PAGE + 1
    while rest > PAGE:
        question = {
            "size": PAGE,
            "sort": [{"_seq_no": "asc"}],
            "track_total_hits": PAGE + 1,
            "query": {"bool": {"filter": [{"range": {"_seq_no": {"gt": after}}}]}},
        }
        connection.request("POST", PATH, json.dumps(question), {"Content-Type": "application/json"})
        page = connection.getresponse().read()
        found = re.search(TOTAL, page)
        assert found is not None, page[:500]
        rest = int(found[1])
        rows += min(rest, PAGE)
        after = int(page[page.rfind(NUMBER) + len(NUMBER) :].partition(b",")[0]) if rest else after
    connection.close()
    return rows


if __name__ == "__main__":
    measure(read, None)
