"""A report's table as it is shown: which columns, in which order, how many rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from mltasks.render import cells
from mltasks.reports import column_kinds, task_list
from mltasks.reports.declaration import ReportColumn
from mltasks.reports.history import TOO_SHORT
from mltasks.reports.registry import REPORTS
from mltasks.reports.report_info import ReportInfo
from mltasks.tasks import times

NARROW = {name: report.narrow for name, report in REPORTS.items()} | {"list": task_list.NARROW}  # fits 80 columns


@dataclass(frozen=True)
class View:
    """A table with what it says of itself; `chosen`: somebody asked for exactly these columns."""

    frame: pd.DataFrame
    info: ReportInfo
    chosen: bool = False

    @cached_property
    def keys(self) -> list[str]:
        """The columns that say what a row stands for."""
        return [name for name in self.info.keys if name in self.frame.columns]

    @cached_property
    def _columns(self) -> Mapping[str, ReportColumn | None]:
        names = map(str, self.frame.columns)
        return {name: column_kinds.find_column(self.info.report, name) for name in names}

    @cached_property
    def _words(self) -> Mapping[str, bool]:
        cells_of = {str(name): values for name, values in self.frame.items()}
        return {name: name in self.keys or pd.api.types.is_string_dtype(values) for name, values in cells_of.items()}

    def column(self, name: str) -> ReportColumn | None:
        """Return the declaration of a column; None for a user's own."""
        return self._columns[name] if name in self._columns else column_kinds.find_column(self.info.report, name)

    def cell(self, name: str, value: Any, *, saved: bool = False) -> str:
        """Return a cell of a column as text; `saved` as in `cells.cell`."""
        column = self.column(name)
        if column and column.kind == "period" and self.info.step and not cells.is_missing(value):
            return cells.period(value, of_days=times.parse_period(self.info.step).calendar)
        show = cells.key if name in self.keys else cells.cell
        return show(column, value, self.info.ago_from_ms, saved=saved)

    def is_id(self, name: str) -> bool:
        """Tell whether a column holds texts to be copied, which stay in one piece."""
        column = self.column(name)
        return column is not None and column.kind == "id"

    def is_words(self, name: str) -> bool:
        """Tell whether a column is read as words, from the left, and not as numbers."""
        return self._words[name]

    def narrow(self) -> pd.DataFrame:
        """Return the columns that fit a terminal of 80, or those that were chosen."""
        if self.chosen or self.info.report not in NARROW:
            return self.frame
        shown = [name for name in NARROW[self.info.report] if name in self.frame.columns]
        keys = [*self.keys]
        if "period" in keys:
            shown = [name for name in shown if name not in REPORTS[self.info.report].now_only]
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


def is_news_unknown(view: View) -> bool:
    """Tell whether the table is of errors of which no one knows whether they are new, so that `status` says nothing."""
    is_short = any(note.startswith(TOO_SHORT) for note in view.info.notes)
    return is_short and "status" in view.frame and bool((view.frame["status"] == "ongoing").all())
