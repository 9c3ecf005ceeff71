"""A report's table as it is shown: which columns, in which order, how many rows."""

from __future__ import annotations

import difflib
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

    def cell(self, name: str, value: Any) -> str:
        """Return a cell of a column as text."""
        show = cells.key if name in self.keys else cells.cell
        return show(self.column(name), value, self.info.as_of_ms)

    def is_id(self, name: str) -> bool:
        """Tell whether a column holds texts to be copied, which stay in one piece."""
        column = self.column(name)
        return column is not None and column.kind == "id"

    def is_words(self, name: str) -> bool:
        """Tell whether a column is read as words, from the left, and not as numbers."""
        return name in self.keys or pd.api.types.is_string_dtype(self.frame[name])

    def narrow(self) -> pd.DataFrame:
        """Return the columns that fit a terminal, or those that were chosen."""
        if self.chosen or self.info.report not in NARROW:
            return self.frame
        shown = [name for name in NARROW[self.info.report] if name in self.frame.columns]
        keys = self.keys
        if "node_name" in shown:
            named = self.frame["node_name"].notna()
            if named.all():
                keys = [key for key in keys if key != "worker_node"]  # ids are for machines where there is a name
            elif not named.any():
                shown.remove("node_name")
        return self.frame[[*keys, *(name for name in shown if name not in keys)]]


def make_view(frame: pd.DataFrame, sort: str | None = None, top: int | None = None) -> View:
    """Return a report's table, sorted, then cut; a cut is said in the notes.

    `sort` names a column, numbers and times with the largest first, texts in alphabetical order; `:asc` or `:desc`
    after it says otherwise. Raises UsageError where there is no such column.
    """
    info = report_info.read_info(frame)
    if sort:
        frame = _sorted(frame, sort)
    if top is not None and top < len(frame):
        by = f", by {sort.partition(':')[0]}" if sort else ""
        info = msgspec.structs.replace(info, notes=[f"top {top} of {len(frame)} rows{by}; all: --top 0", *info.notes])
        frame = frame.head(top)
    return View(frame, info)


def _sorted(frame: pd.DataFrame, sort: str) -> pd.DataFrame:
    name, _, order = sort.partition(":")
    if order not in ("", "asc", "desc"):
        raise UsageError(f"sort: there is no order {order!r}; write {name}, {name}:asc or {name}:desc")
    if name not in frame.columns:
        names = list(map(str, frame.columns))
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise UsageError(f"sort: there is no column {name!r}; {hint}")
    text = pd.api.types.is_string_dtype(frame[name])
    ascending = order == "asc" or (order == "" and text)
    return frame.sort_values(name, ascending=ascending, kind="stable", ignore_index=True)
