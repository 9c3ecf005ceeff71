"""Whether rules hold: a measure of each row of a report against its limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from mltasks.exceptions import UsageError
from mltasks.reports import check_gaps, report_info, unfinished
from mltasks.reports.duration_text import duration
from mltasks.reports.failing import is_failing
from mltasks.reports.highlights import open_history, run_part
from mltasks.reports.registry import REPORTS
from mltasks.reports.rules import DATA_AGE, FAILING, ROWS, Rule
from mltasks.tasks.metadata import to_datetime
from mltasks.tasks.plural import count_of

OK, BREACHED, NO_DATA = "ok", "breached", "no data"
EXAMPLES = 3  # rows that a rule of `rows` names
MINUTE_S = 60
INTERVALS = {"failure_rate": ("failure_rate_low", "failure_rate_high")}


class Result(NamedTuple):
    """What one rule says of one group: what was measured, the limit, the interval, and of how many tasks."""

    rule: str
    severity: str
    group: str  # the values of its keys; empty for all tasks
    verdict: str
    measure: str
    value: float | None
    limit: str
    low: float | None
    high: float | None
    tasks: int | None
    missing: str | None = None  # why it could not be measured
    examples: tuple[str, ...] = ()  # of rows that were counted, the first ones: their keys, or the task

    @property
    def is_breach(self) -> bool:
        """Whether the rule does not hold."""
        return self.verdict == BREACHED

    def sentence(self) -> str:
        """Return the result in words."""
        where = f" of {self.group}" if self.group else ""
        if self.value is None:
            return f"{self.measure}{where}: no data{f', {self.missing}' if self.missing else ''}; {self.limit}"
        detail = "" if self.low is None or self.high is None else f" ({self.low:.3g} to {self.high:.3g})"
        if self.examples:  # of rows, which have no interval
            more = "; ..." if self.value > len(self.examples) else ""
            detail = f" ({'; '.join(self.examples)}{more})"
        tasks = "" if self.tasks is None else f", {count_of(self.tasks)}"
        return f"{self.measure}{where} is {_number(self.measure, self.value, '.6g')}{detail}, {self.limit}{tasks}"


def check(tasks: Any, rules: Sequence[Rule], *, as_of: Any = None, now: datetime | None = None) -> list[Result]:
    """Return the results of all rules, in their order; a rule without data has one result, as its on_no_data says."""
    results = []
    for rule in rules:
        try:
            rows = [*_measure(tasks, rule, as_of, now or datetime.now(UTC))]
        except UsageError as error:
            raise UsageError(f"rule {rule.name!r}: {error}") from None
        results += rows or [_result(rule, "", None, (None, None), None)]
    return results


def _measure(tasks: Any, rule: Rule, as_of: Any, now: datetime) -> Iterator[Result]:
    report = REPORTS[rule.report]
    options = dict(rule.where) | ({"since": rule.window} if rule.window else {})
    if rule.window and report.name == "compare":
        options["against"] = "previous"
    if report.takes_by:
        by = rule.by if rule.by is not None else () if rule.measure == DATA_AGE else report.keys
        options["by"] = list(by)
    table = _run(tasks, rule, as_of, options)
    info = report_info.read_info(table)
    if rule.measure == DATA_AGE:
        if info.as_of_ms is not None:
            yield _result(rule, "", (now - to_datetime(info.as_of_ms)).total_seconds(), (None, None), None)
        return
    gap = check_gaps.find_gap(rule, table, info.notes)
    if gap is not None and gap.is_breach:
        yield _result(rule, "", None, (None, None), None)._replace(verdict=BREACHED, missing=gap.reason)
        return
    table = check_gaps.select_rows(table, rule)
    if rule.measure == ROWS:
        result = _result(rule, "", len(table), (None, None), None)._replace(examples=_name_rows(table, info.keys))
        if gap is not None and _result(rule, "", len(table) + gap.rows, (None, None), None).verdict != result.verdict:
            result = _result(rule, "", None, (None, None), None)._replace(missing=gap.reason)
        if info.tasks:
            yield result
        return
    for row in table.to_dict("records"):
        values = {str(name): value for name, value in row.items()}
        value = _value(rule, values, info.as_of_ms)
        tasks_of_row = _tasks(rule, values)
        is_enough = tasks_of_row is None or tasks_of_row >= rule.min_tasks
        if rule.measure == FAILING and values.get("tasks") and not is_enough:
            value, is_enough = 0.0, True  # of a group with so few failures in a row nothing is unknown
        if value is not None and is_enough:
            low, high = (values.get(name) for name in INTERVALS.get(rule.measure, ("", "")))
            group = _name_row(values, info.keys)
            yield _result(rule, group, value, (low, high), tasks_of_row)


def _name_rows(table: pd.DataFrame, keys: Sequence[str]) -> tuple[str, ...]:
    """Return what the first rows are of; a row without keys is of one task."""
    names = keys or (["task_id"] if "task_id" in table else [])
    return tuple(_name_row(row, names) for row in table.head(EXAMPLES).to_dict("records") if names)


def _name_row(row: Mapping[Any, Any], keys: Sequence[str]) -> str:
    return ", ".join("(none)" if pd.isna(row[key]) else str(row[key]) for key in keys)


def _run(tasks: Any, rule: Rule, as_of: Any, options: dict[str, Any]) -> pd.DataFrame:
    """Return the table of the rule's report, as highlights reads it: of what can be judged, and new in known time."""
    if rule.report == "unfinished":
        return unfinished.judge_some(tasks, as_of=as_of, **options)
    if rule.report == "errors" and not {"new", "known"} & {*options}:
        return run_part("errors", tasks, open_history(tasks, as_of, options), as_of, options)
    table: pd.DataFrame = REPORTS[rule.report].function()(tasks, as_of=as_of, **options)
    return table


def _value(rule: Rule, row: Mapping[str, Any], as_of_ms: int | None) -> float | None:
    if rule.measure == FAILING:
        return _measure_failing(row, as_of_ms)
    value = row[rule.measure]
    return None if pd.isna(value) else float(value)


def _measure_failing(row: Mapping[str, Any], as_of_ms: int | None) -> float | None:
    """Return how long a group has been failing [s], 0 where it is not; a run that is usual for it is no failing."""
    since = row.get("failing_since")
    if since is None or pd.isna(since) or as_of_ms is None:
        return 0.0 if "failing_since" in row else None
    if (
        "completed" in row
        and not is_failing([row["completed"]], [row["failed"]], [row.get("failures_in_a_row", row["failed"])]).any()
    ):
        return 0.0
    return float(as_of_ms / 1000 - since.timestamp())


def _tasks(rule: Rule, row: Mapping[str, Any]) -> int | None:
    """Return how many tasks a measure is of: for a rate those that have finished, for a run those that failed."""
    if rule.measure == FAILING:
        return int(row.get("failures_in_a_row", row.get("failed", 0)))
    if rule.measure in INTERVALS:
        return int(row["completed"] + row["failed"])
    count = row.get("measured", row.get("tasks", row.get("tasks_after")))
    return None if count is None else int(count)


def _result(rule: Rule, group: str, value: float | None, interval: tuple[Any, Any], tasks: int | None) -> Result:
    low, high = (None if end is None or pd.isna(end) else float(end) for end in interval)
    nearest = [end for end in (low, high) if end is not None] or [value if value is not None else math.nan]
    past = (rule.max is not None and min(nearest) > rule.max) or (rule.min is not None and max(nearest) < rule.min)
    ends = (("at least", rule.min), ("at most", rule.max))
    limits = [f"{word} {_number(rule.measure, end, 'g')}" for word, end in ends if end is not None]
    is_breach = past if value is not None else rule.on_no_data == "breach"
    verdict = BREACHED if is_breach else NO_DATA if value is None else OK
    limit = f"to be {' and '.join(limits)}"
    return Result(rule.name, rule.severity, group, verdict, rule.measure, value, limit, low, high, tasks)


def _number(measure: str, value: float, digits: str) -> str:
    """Return a number, beside it as people read it where it is seconds of a minute and more."""
    is_long = measure.endswith("_s") and abs(value) >= MINUTE_S and math.isfinite(value)
    return f"{value:{digits}} ({duration(value)})" if is_long else f"{value:{digits}}"
