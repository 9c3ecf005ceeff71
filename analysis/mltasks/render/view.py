"""A report's table as it is shown: which columns, in which order, how many rows."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.render import cells
from mltasks.reports import column_kinds, report_info, task_list
from mltasks.reports.declaration import ReportColumn
from mltasks.reports.registry import REPORTS
from mltasks.reports.report_info import ReportInfo

NARROW = {name: report.narrow for name, report in REPORTS.items()} | {"list": task_list.NARROW}  # fits 80 columns


@dataclass(frozen=True)
class View:
    """A table with what it says of itself; `chosen`: somebody asked for exactly these columns."""

    frame: pd.DataFrame
    info: ReportInfo
    chosen: bool = False

    @property
    def keys(self) -> list[str]:
        """The columns that say what a row stands for."""
        return [name for name in self.info.keys if name in self.frame.columns]

    def column(self, name: str) -> ReportColumn | None:
        """Return the declaration of a column; None for a user's own."""
        return column_kinds.find_column(self.info.report, name)

    def cell(self, name: str, value: Any, *, saved: bool = False) -> str:
        """Return a cell of a column as text; `saved` as in `cells.cell`."""
        show = cells.key if name in self.keys else cells.cell
        return show(self.column(name), value, self.info.ago_from_ms, saved=saved)

    def is_id(self, name: str) -> bool:
        """Tell whether a column holds texts to be copied, which stay in one piece."""
        column = self.column(name)
        return column is not None and column.kind == "id"

    def is_words(self, name: str) -> bool:
        """Tell whether a column is read as words, from the left, and not as numbers."""
        return name in self.keys or pd.api.types.is_string_dtype(self.frame[name])

    def narrow(self) -> pd.DataFrame:
        """Return the columns that fit a terminal of 80, or those that were chosen."""
        if self.chosen or self.info.report not in NARROW:
            return self.frame
        shown = [name for name in NARROW[self.info.report] if name in self.frame.columns]
        keys = self.keys
        if "task_id" in self.frame.columns and "tasks" in shown and not keys:  # a row is a task
            shown.remove("tasks")
        if "wait_share" in shown and self.frame["wait_share"].isna().all():  # nothing is known of the pools
            shown.remove("wait_share")
        if "node_name" in shown:
            named = self.frame["node_name"].notna()
            if named.all():
                keys = [key for key in keys if key != "worker_node"]  # ids are for machines where there is a name
            elif not named.any():
                shown.remove("node_name")
        elif "node_name" in self.frame.columns and self.frame["node_name"].notna().all():
            keys = ["node_name" if key == "worker_node" else key for key in keys]
        return self.frame[[*keys, *(name for name in shown if name not in keys)]]


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
        cut = f"top {top} of {len(frame)} rows{order}; all: --top 0"
        info = msgspec.structs.replace(info, notes=[cut, *info.notes])
        frame = frame.head(top)
    return View(frame[list(columns)] if columns else frame, info, chosen=bool(columns))


def _weigh(column: pd.Series[Any], order: Sequence[str]) -> pd.Series[Any]:
    """Return the places of texts in an order, by which they are sorted; without an order the column itself."""
    places = {text: place for place, text in enumerate(order)}
    return column.map(places).fillna(len(order)).astype("int64") if order else column


def _check_column(frame: pd.DataFrame, option: str, name: str) -> None:
    if name not in frame.columns:
        names = list(map(str, frame.columns))
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise UsageError(f"{option}: there is no column {name!r}; {hint}")


def _sort(frame: pd.DataFrame, sort: str, report: str) -> pd.DataFrame:
    name, _, order = sort.partition(":")
    if order not in ("", "asc", "desc"):
        raise UsageError(f"sort: there is no order {order!r}; write {name}, {name}:asc or {name}:desc")
    _check_column(frame, "sort", name)
    text = pd.api.types.is_string_dtype(frame[name])
    ascending = order == "asc" or (order == "" and text)
    weights = REPORTS[report].orders.get(name, ()) if report in REPORTS else ()
    return frame.sort_values(
        name, ascending=ascending, key=lambda column: _weigh(column, weights), kind="stable", ignore_index=True
    )
