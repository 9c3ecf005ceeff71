"""A peer: `opensearch_to_pandas` of opensearch-py-ml, whose pages of 5000 are its own choice."""

from __future__ import annotations

from collections.abc import Iterable

import opensearch_py_ml as oml
import pandas as pd
from opensearchpy import OpenSearch

from benchmarks.cases.case import INDEX, Row, measure


def read(url: str) -> pd.DataFrame:
    """Return the index, one task a row, the ids as the index."""
    found: pd.DataFrame = oml.opensearch_to_pandas(oml.DataFrame(OpenSearch(url), INDEX))
    return found


def rows(tasks: pd.DataFrame) -> Iterable[Row]:
    """Yield the rows of the table; its times are datetimes without a zone."""
    times = (tasks[name].astype("datetime64[ms]").astype("int64") for name in ("create_time", "last_update_time"))
    return zip(tasks.index, tasks["state"], *times, tasks["error"], tasks["worker_node"], strict=True)


if __name__ == "__main__":
    measure(read, rows, "opensearch-py-ml", "opensearch-py", "pandas")
