"""A single task in a terminal: a line a field, those that are there."""

from __future__ import annotations

import pandas as pd

from mltasks.present import text


def render(tasks: pd.DataFrame) -> str:
    """Return the fields of each task that are not missing, times in ISO 8601 UTC."""
    width = max(map(len, tasks.columns))
    blocks = []
    for task in tasks.to_dict("records"):
        shown = {name: value for name, value in task.items() if not text.missing(value)}
        blocks.append("".join(f"{name:<{width}}  {_value(str(name), value)}\n" for name, value in shown.items()))
    return "\n".join(blocks)


def _value(name: str, value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return text.iso(value)
    if name in ("seq_no", "primary_term", "version"):
        return str(value)
    return text.cell(name, value, None)
