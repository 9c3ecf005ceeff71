"""A peer: `opensearchpy.helpers.scan` and `pandas.json_normalize`, what one would write by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from benchmarks.cases.case import INDEX, PAGE, Row, measure


def read(url: str) -> pd.DataFrame:
    """Return all hits, one a row, with dotted names for what is nested."""
    return pd.json_normalize(list(scan(OpenSearch(url), index=INDEX, size=PAGE)))


def rows(hits: pd.DataFrame) -> Iterable[Row]:
    """Yield the rows of the table; its times are in ms."""
    names = ("state", "create_time", "last_update_time", "error", "worker_node")
    return zip(hits["_id"], *(hits[f"_source.{name}"] for name in names), strict=True)


if __name__ == "__main__":
    measure(read, rows, "opensearch-py", "pandas")
