"""Which rows of a table are shown, and in which order: `--sort`, `--top` and `--columns`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd

from mltasks.render.view import View
from mltasks.reports import report_info
from mltasks.reports.registry import REPORTS
from mltasks.tasks.column_names import parse_sort, unknown_column


def make_view(
    frame: pd.DataFrame, sort: str | None = None, top: int | None = None, columns: Sequence[str] = ()
) -> View:
    """Return a report's table, sorted, then cut; a cut is said in the notes.

    `sort` names a column, numbers and times with the largest first, texts in alphabetical order; `:asc` or `:desc`
    after it says otherwise; None: the worst first, as the report declares it, or by time where it has periods.
    `columns`: those to show. Raises UsageError where there is no such column.
    """
    info = report_info.read_info(frame)
    by = sort.partition(":")[0] if sort else ""
    if sort:
        frame = _sort(frame, sort, info.report)
    elif "period" not in frame.columns and info.report in REPORTS:
        worst = [name for name in REPORTS[info.report].worst_first if name in frame.columns]
        if worst:
            orders = REPORTS[info.report].orders
            frame = frame.sort_values(
                worst,
                ascending=[name in orders for name in worst],
                key=lambda column: _weigh(column, orders.get(str(column.name), ())),
                kind="stable",
                ignore_index=True,
            )
            by = worst[0]
    for name in columns:
        _check_column(frame, "columns", name)
    if top is not None and top < len(frame):
        order = f", by {by}" if by else ""
        cut = f"top {top:,} of {len(frame):,} rows{order}; all: --top 0"
        info = msgspec.structs.replace(info, notes=[cut, *info.notes])
        frame = frame.head(top)
    return View(frame[list(columns)] if columns else frame, info, chosen=bool(columns))


def _weigh(column: pd.Series[Any], order: Sequence[str]) -> pd.Series[Any]:
    """Return the places of texts in an order, by which they are sorted; without an order the column itself."""
    places = {text: place for place, text in enumerate(order)}
    return column.map(places).fillna(len(order)).astype("int64") if order else column


def _check_column(frame: pd.DataFrame, option: str, name: str) -> None:
    if name not in frame.columns:
        raise unknown_column(option, name, map(str, frame.columns))


def _sort(frame: pd.DataFrame, sort: str, report: str) -> pd.DataFrame:
    name, order = parse_sort(sort)
    _check_column(frame, "sort", name)
    text = pd.api.types.is_string_dtype(frame[name])
    ascending = order == "asc" or (order == "" and text)
    weights = REPORTS[report].orders.get(name, ()) if report in REPORTS else ()
    return frame.sort_values(
        name, ascending=ascending, key=lambda column: _weigh(column, weights), kind="stable", ignore_index=True
    )
