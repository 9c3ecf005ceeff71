"""A report as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd

from mltasks.render.cells import escape_control, is_missing
from mltasks.render.json import plain_value
from mltasks.render.view import View
from mltasks.reports.declaration import Kind, ReportColumn

DECIMALS: dict[Kind, int] = {"share": 4, "duration": 3, "number": 4}  # more is noise
TIMES = pd.DatetimeTZDtype("ms", "UTC")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(view: View) -> str:
    """Return CSV: times in ISO 8601, missing cells empty, shares and seconds without noise, no notes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, ids included.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_formula(str(name)) for name in view.frame.columns])
    columns = [_cells(view.column(str(name)), view.frame.iloc[:, n]) for n, name in enumerate(view.frame.columns)]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _cells(column: ReportColumn | None, values: pd.Series[Any]) -> list[Any]:
    """Return the cells of a column: by the column where they are of one kind, since a list of tasks may be long."""
    if values.dtype == TIMES:
        texts = np.datetime_as_string(values.to_numpy("datetime64[ms]"), unit="ms")
        return ["" if text == "NaT" else f"{text}Z" for text in texts.tolist()]
    if isinstance(values.dtype, pd.StringDtype):  # most columns have few different texts
        shown = {text: escape_formula(text) for text in values.dropna().unique().tolist()}
        return [shown.get(text, "") for text in values.tolist()]
    return [_value(column, value) for value in values.tolist()]


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
