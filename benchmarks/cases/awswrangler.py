"""A peer: `opensearch.search` of awswrangler (AWS SDK for pandas), with a scroll."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import awswrangler as wr
import pandas as pd
from opensearchpy import OpenSearch

from benchmarks.cases.case import INDEX, PAGE, Row, measure


def read(url: str) -> pd.DataFrame:
    """Return all hits, one a row, with dotted names for what is nested."""
    everything: dict[str, dict[str, Any]] = {"query": {"match_all": {}}}
    found: pd.DataFrame = wr.opensearch.search(
        OpenSearch(url), index=INDEX, search_body=everything, is_scroll=True, size=PAGE
    )
    return found


def rows(tasks: pd.DataFrame) -> Iterable[Row]:
    """Yield the rows of the table; its times are in ms."""
    names = ("_id", "state", "create_time", "last_update_time", "error", "worker_node")
    return zip(*(tasks[name] for name in names), strict=True)


if __name__ == "__main__":
    measure(read, rows, "awswrangler", "opensearch-py", "pandas")
