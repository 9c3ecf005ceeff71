"""What a report's table says of itself: what it covers, as of when, and what to know when reading it."""

from __future__ import annotations

from typing import Any

import msgspec
import narwhals as nw
import pandas as pd

from mltasks import engines, schema
from mltasks.context import Context, moment
from mltasks.engines import Tasks
from mltasks.errors import UsageError

KEY = "mltasks_report"  # in DataFrame.attrs
RATE_NOTES = ["rates are over recorded tasks: synchronous calls and requests refused before a task was made leave none"]


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """Travels in `attrs` of a report's table, as JSON text."""

    report: str
    as_of_ms: int | None
    as_of_assumed: bool
    sources: list[str]
    filters: dict[str, Any]
    tasks: int
    first_ms: int | None  # the earliest and latest create_time
    last_ms: int | None
    tz: str = "UTC"
    keys: list[str] = []
    notes: list[str] = []

    def covers(self) -> str:
        """Return the sentence that every output begins with."""
        count = f"{self.tasks:,} {_tasks(self.tasks)} of {', '.join(self.sources)}"
        if self.first_ms is None or self.last_ms is None:
            when = "" if self.tasks else ": there is nothing to report"
        else:
            first, last = (moment(ms) for ms in (self.first_ms, self.last_ms))
            until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
            when = f", created {first:%Y-%m-%d %H:%M}-{until} UTC"
        chosen = "; ".join(f"{k} {', '.join(v) if isinstance(v, list) else v}" for k, v in self.filters.items())
        return f"{count}{when} ({chosen or 'all'})"


class Census:
    """Counts of the tasks that a report covers, by outcome and by what is the matter with their duration."""

    def __init__(self, tasks: Tasks) -> None:
        keys = ["outcome", "duration_status", "overdue", "known"]
        frame = tasks.frame.with_columns(known=nw.col("state").is_in(tuple(schema.STATES)))
        start = nw.col("start_ms")
        self.counts = engines.to_pandas(frame.group_by(*keys).agg(tasks=nw.len(), first=start.min(), last=start.max()))
        self.tasks = int(self.counts["tasks"].sum())
        self.first_ms, self.last_ms = whole(self.counts["first"].min()), whole(self.counts["last"].max())

    def number(self, **values: Any) -> int:
        """Return how many tasks have these values; a value may be a tuple of several."""
        rows = self.counts
        for name, value in values.items():
            wanted = value if isinstance(value, tuple) else (value,)
            rows = rows[rows[name].isin(wanted)]
        return int(rows["tasks"].sum())

    def notes(self, tasks: Tasks) -> list[str]:
        """Return what every report says once."""
        found = [*tasks.context.notes]
        if unknown := self.tasks - self.number(known=True):
            found.append(f"{unknown} {_tasks(unknown)} in a state that this version does not know, counted as open")
        if overdue := self.number(overdue=True):
            first = tasks.context.readings[0]
            limit = f"{'an assumed' if first.timeout_assumed else 'the'} time-out of {first.timeout_s} s"
            found.append(
                f"{overdue} open {_tasks(overdue)} overdue: open for longer than {limit} + {schema.OVERDUE_GRACE_S} s, "
                "so that the record is as likely wrong as late"
            )
        if odd := self.number(duration_status="implausible"):
            found.append(f"{odd} {_tasks(odd)} with an implausible time: in the counts, in no duration or load")
        return found


def info(frame: pd.DataFrame) -> Info:
    """Return what a report's table says of itself."""
    return msgspec.json.decode(frame.attrs[KEY], type=Info)


def attach(frame: pd.DataFrame, name: str, tasks: Tasks, census: Census, notes: list[str], **more: Any) -> pd.DataFrame:
    """Return a report's table with its Info in `attrs`."""
    ctx = tasks.context
    said = Info(
        report=name,
        as_of_ms=ctx.as_of_ms,
        as_of_assumed=any(reading.as_of_assumed for reading in ctx.readings),
        sources=sources(ctx),
        filters=ctx.filters | tasks.filters.describe(),
        tasks=census.tasks,
        first_ms=census.first_ms,
        last_ms=census.last_ms,
        notes=[*census.notes(tasks), *notes],
        **more,
    )
    return stamped(frame, said)


def stamped(frame: pd.DataFrame, said: Info) -> pd.DataFrame:
    """Return a table with what it says of itself in `attrs`, and nothing else there."""
    frame.attrs = {KEY: msgspec.json.encode(said).decode()}
    return frame


def sources(ctx: Context) -> list[str]:
    """Return the clusters that tasks come from, or the source where it does not say."""
    return list(dict.fromkeys(reading.cluster or ctx.source for reading in ctx.readings))


def refuse_outcomes(name: str, tasks: Tasks) -> None:
    """Raise UsageError where tasks were selected by state or outcome: that would change a rate."""
    chosen = [key for key in (tasks.context.filters | tasks.filters.describe()) if key.endswith(("state", "outcome"))]
    if chosen:
        raise UsageError(f"{name}: the filter {chosen[0]} would change the failure rate; leave it out here")


def whole_numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table with its counts as whole numbers; a count that an engine did not give is 0."""
    return (
        frame.astype(dict.fromkeys(columns, "float64"))
        .fillna(dict.fromkeys(columns, 0))
        .astype(dict.fromkeys(columns, "int64"))
    )


def whole(value: Any) -> int | None:
    """Return a whole number, or None for a missing one."""
    return None if pd.isna(value) else int(value)


def _tasks(n: int) -> str:
    return "task" if n == 1 else "tasks"
