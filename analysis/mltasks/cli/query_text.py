"""What `--query` says: a query of OpenSearch as JSON."""

from __future__ import annotations

import json
from typing import Any

from mltasks.exceptions import UsageError


def parse_query(query: str | None) -> dict[str, Any] | None:
    """Return the query; raises UsageError for what is no object of JSON."""
    if query is None:
        return None
    try:
        value = json.loads(query)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--query: not JSON: {error}; write a query such as '{{\"match_all\": {{}}}}'") from None
    if not isinstance(value, dict):
        raise UsageError("--query: not an object; write a query such as '{\"match_all\": {}}'")
    if set(value) == {"query"}:  # the body of a request, as in the API's own examples
        value = value["query"]
    if not isinstance(value, dict):
        raise UsageError('--query: "query" is not an object; write a query such as \'{"match_all": {}}\'')
    return value
