"""What a report's table says of itself: what it covers, as of when, and what to know when reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pandas as pd

from mltasks.engines.dataset import Tasks
from mltasks.exceptions import UsageError
from mltasks.reports.declaration import refusal
from mltasks.reports.registry import REPORTS
from mltasks.reports.statistics.intervals import wilson
from mltasks.reports.totals import Totals
from mltasks.tasks import filters
from mltasks.tasks.letter_case import fold
from mltasks.tasks.metadata import Context, to_datetime, to_iso
from mltasks.tasks.plural import plural

KEY = "mltasks_report"  # in DataFrame.attrs
UNNAMED = "an unnamed cluster"
RATE_NOTES = ["rates are over recorded tasks: synchronous calls and requests refused before a task was made leave none"]


class Mark(msgspec.Struct, frozen=True):
    """An instant [ms since 1970, UTC] that is worth a line in a figure over time, such as the start of a node."""

    ms: int
    text: str


class ReportInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Travels in `attrs` of a report's table, as JSON text."""

    report: str
    as_of_ms: int | None
    as_of_assumed: bool
    sources: list[str]
    filters: dict[str, Any]
    tasks: int
    first_ms: int | None  # the earliest and latest create_time
    last_ms: int | None
    loaded: int | None = None  # how many tasks were loaded, where these are only a part of them
    tz: str = "UTC"
    keys: list[str] = []
    step: str | None = None  # the length of a period, as in `every`; None: the report has no periods
    marks: list[Mark] = []
    notes: list[str] = []
    source: str = ""  # as the commands name it

    def covers(self) -> str:
        """Return the sentence that every output begins with."""
        count = f"{self.tasks:,} {plural(self.tasks)} of {', '.join(self.sources)}"
        if self.first_ms is None or self.last_ms is None:
            when = "" if self.tasks else ": there is nothing to report"
        else:
            first, last = (to_datetime(ms) for ms in (self.first_ms, self.last_ms))
            begin, end = f"{first:%Y-%m-%d %H:%M}", f"{last:%Y-%m-%d %H:%M}"
            until = "" if begin == end else f"-{last:%H:%M}" if first.date() == last.date() else f"-{end}"
            when = f", created {begin}{until} UTC"
        chosen = "; ".join(f"{k} {', '.join(v) if isinstance(v, list) else v}" for k, v in self.filters.items())
        part = "" if self.loaded is None else f"a part of the {self.loaded:,} loaded"
        return f"{count}{when} ({'; '.join(filter(None, [chosen, part])) or 'all'})"

    @property
    def ago_from_ms(self) -> int | None:
        """The time that "ago" counts from: `as_of`, or the end of the window where that is earlier."""
        until = self.filters.get("until")
        until_ms = None if until is None else round(datetime.fromisoformat(until).timestamp() * 1000)
        return min((ms for ms in (self.as_of_ms, until_ms) if ms is not None), default=None)


def read_info(frame: pd.DataFrame) -> ReportInfo:
    """Return what a report's table says of itself."""
    return msgspec.json.decode(frame.attrs[KEY], type=ReportInfo)


def attach_info(
    frame: pd.DataFrame,
    name: str,
    tasks: Tasks,
    census: Totals,
    notes: list[str],
    *,
    loaded: int | None = None,
    **more: Any,
) -> pd.DataFrame:
    """Return a report's table with its Info in `attrs`; `loaded`: see there, where the report knows it."""
    ctx = tasks.context
    if ctx.rows and not tasks.filters and 0 < census.tasks < ctx.rows:
        loaded = ctx.rows
    chosen = filters.merge_descriptions(ctx.filters, tasks.filters.describe())
    said = ReportInfo(
        report=name,
        as_of_ms=ctx.as_of_ms,
        as_of_assumed=any(reading.as_of_assumed for reading in ctx.readings),
        sources=source_names(ctx, chosen),
        filters=chosen,
        tasks=census.tasks,
        first_ms=census.first_ms,
        last_ms=census.last_ms,
        loaded=loaded,
        notes=[*census.notes(tasks), *notes, *empty_notes(chosen, ctx, census.tasks)],
        source=ctx.source,
        **more,
    )
    return with_info(frame, said)


def with_info(frame: pd.DataFrame, said: ReportInfo) -> pd.DataFrame:
    """Return a table with what it says of itself in `attrs`, and nothing else there."""
    frame.attrs = {KEY: msgspec.json.encode(said).decode()}
    return frame


def rename(said: ReportInfo, report: str, keys: Sequence[str], notes: Sequence[str] = ()) -> ReportInfo:
    """Return what a table says that was made of another one: the same, but for its name, keys and notes."""
    return msgspec.structs.replace(said, report=report, keys=list(keys), notes=list(notes), marks=[])


def source_names(ctx: Context, chosen: Mapping[str, Any]) -> list[str]:
    """Return the clusters that tasks come from, or the source where it does not say; of `chosen` clusters only these.

    `chosen` are filters as `Filters.describe` gives them.
    """
    named = [reading.cluster for reading in ctx.readings if reading.cluster]
    unnamed = UNNAMED if named and ", " in ctx.source else ctx.source  # of several sources, which is not known
    names = list(dict.fromkeys(reading.cluster or unnamed for reading in ctx.readings))
    by_word = {fold(name): name for name in names}
    return [by_word.get(word, word) for word in chosen.get("cluster", ())] or names


def empty_notes(chosen: Mapping[str, Any], ctx: Context, tasks: int) -> list[str]:
    """Return why filters may have selected no task: a window after all that was read, or names that were not read."""
    since, notes = chosen.get("since"), []
    if since is not None and ctx.as_of_ms is not None and datetime.fromisoformat(since) > to_datetime(ctx.as_of_ms):
        end = to_iso(ctx.as_of_ms)
        notes.append(f"since {since} is later than {end}, as of when the tasks are known: no task can be there")
    for name, names in (("node", ctx.names()), ("model", ctx.models())):
        if not tasks and name in chosen and not names:
            notes.append(f"the names of {name}s are not part of what was read: {name} is looked for in ids only")
    return notes


def reject_filters(name: str, tasks: Tasks) -> None:
    """Raise UsageError where tasks were selected by a filter that the report of this name does not take."""
    chosen = tasks.context.filters | tasks.filters.describe()
    for filter_name, why in REPORTS[name].refused.items():
        if filter_name in chosen:
            raise UsageError(refusal(name, filter_name, why))


def with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the failure rate = failed / (completed + failed) and its Wilson 95 % interval.

    Where the table has a column `design_effect`, the interval is that of so many times fewer tasks.
    """
    effect = frame.get("design_effect", 1.0)
    share, low, high = wilson(frame["failed"], frame["completed"] + frame["failed"], effect)
    return frame.assign(failure_rate=share, failure_rate_low=low, failure_rate_high=high)


def whole_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with its counts as whole numbers; a count that is missing is 0."""
    return frame.fillna(dict.fromkeys(columns, 0)).astype(dict.fromkeys(columns, "int64"))
