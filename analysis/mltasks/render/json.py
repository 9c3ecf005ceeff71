"""A report as one JSON object."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from mltasks.render.cells import is_missing, iso
from mltasks.render.view import View
from mltasks.tasks.metadata import to_iso


def to_json(view: View) -> str:
    """Return one object as text; see `to_document`."""
    return json.dumps(to_document(view), indent=1, allow_nan=False) + "\n"


def to_document(view: View) -> dict[str, Any]:
    """Return report, as_of, sources, filters, tasks, rows and notes; missing values are None."""
    info = view.info
    names = [str(name) for name in view.frame.columns]
    rows = [dict(zip(names, map(plain_value, row), strict=True)) for row in view.frame.itertuples(index=False)]
    return {
        "report": info.report,
        "as_of": to_iso(info.as_of_ms),
        "sources": info.sources,
        "filters": info.filters,
        "tasks": info.tasks,
        "rows": rows,
        "notes": info.notes,
    }


def plain_value(value: Any) -> Any:
    """Return a cell as JSON has it, times in their own zone; what is no number there is null."""
    if is_missing(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat() if value.utcoffset() else iso(value)
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and math.isinf(plain) else plain
