"""A report as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from mltasks.render.cells import escape_control, is_missing
from mltasks.render.json import plain_value
from mltasks.render.view import View
from mltasks.reports.declaration import Kind, ReportColumn

DECIMALS: dict[Kind, int] = {"share": 4, "duration": 3, "number": 4}  # more is noise
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(view: View) -> str:
    """Return CSV: times in ISO 8601, missing cells empty, shares and seconds without noise, no notes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, ids included.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_formula(str(name)) for name in view.frame.columns])
    columns = [view.column(str(name)) for name in view.frame.columns]
    for row in view.frame.itertuples(index=False):
        writer.writerow([_value(column, value) for column, value in zip(columns, row, strict=True)])
    return out.getvalue()


def _value(column: ReportColumn | None, value: Any) -> Any:
    if is_missing(value):
        return ""
    if isinstance(value, str):
        return escape_formula(value)
    plain = plain_value(value)
    if not isinstance(plain, float) or column is None or column.kind not in DECIMALS:
        return plain
    rounded = round(plain, DECIMALS[column.kind])
    hides = column.kind == "share" and rounded in (0, 1)  # a share that is neither none nor all is not written so
    return plain if hides else rounded


def escape_formula(value: str) -> str:
    """Return a text that no spreadsheet computes and no terminal obeys."""
    shown = escape_control(value)
    return f"'{shown}" if value.startswith(FORMULA) or value[:1].isspace() else shown
