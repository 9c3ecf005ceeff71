"""A report in a notebook: units, notes and figure beside the numbers; in a console as the command line shows it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import report_info


@dataclass(frozen=True)
class ShownReport:
    """A report's table as people read it; `show` returns it, notebooks and consoles show it by themselves."""

    view: View

    def __repr__(self) -> str:
        from mltasks.render import terminal

        return terminal.render(self.view).rstrip("\n")

    def _repr_html_(self) -> str:
        from mltasks.render import html

        return html.render_report(self.view)


def show(table: pd.DataFrame, *, sort: str | None = None, top: int | None = None) -> ShownReport:
    """Show a report's table with units, notes and figure, in a notebook or a console.

    Parameters
    ----------
    table : DataFrame
        What `failures`, `durations` or another report returns.
    sort : str, optional
        A column, the greatest first; `column:asc` the least. Else the worst first.
    top : int, optional
        Only so many rows; the cut is said.

    Returns
    -------
    ShownReport
        An object that notebooks and consoles show by themselves.

    Raises
    ------
    UsageError
        For a table that no report has made, or a column that is not there.

    Examples
    --------
    >>> mltasks.show(mltasks.failures("demo", by="task_type"), top=1)  # doctest: +ELLIPSIS
    552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all), as of
    2026-11-24 22:15 UTC (assumed)
    ...
    """
    if report_info.KEY not in table.attrs:
        raise UsageError("show: the table says nothing of itself; give what a report such as mltasks.failures returns")
    return ShownReport(make_view(table, sort, top))
