"""A report as CSV."""

from __future__ import annotations

import csv
import io

from mltasks.render.cells import escape_control, is_missing
from mltasks.render.json import plain_value
from mltasks.render.view import View

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(view: View) -> str:
    """Return CSV: times in ISO 8601 UTC, missing cells empty, no notes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, ids included.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_formula(str(name)) for name in view.frame.columns])
    for row in view.frame.itertuples(index=False):
        writer.writerow(
            ["" if is_missing(v) else escape_formula(v) if isinstance(v, str) else plain_value(v) for v in row]
        )
    return out.getvalue()


def escape_formula(value: str) -> str:
    """Return a text that no spreadsheet computes and no terminal obeys."""
    shown = escape_control(value)
    return f"'{shown}" if value.startswith(FORMULA) or value[:1].isspace() else shown
