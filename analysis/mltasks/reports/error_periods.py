"""How many tasks of each group of errors were created in each period, also where none was."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.exceptions import UsageError
from mltasks.reports import error_rows, grouping, known_errors, report_info, totals
from mltasks.reports.error_rows import KEYS
from mltasks.reports.grouping import PERIOD
from mltasks.reports.periods import choose_periods
from mltasks.reports.time_window import MOST_PERIODS
from mltasks.tasks import outcomes, schema


def count_errors(
    tasks: Any, every: str | None = None, *, known: str | None = None, as_of: Any = None, **options: Any
) -> pd.DataFrame:
    """Return one row per masked error text and period of create_time; the texts and filters are those of `errors`."""
    tz: str = options.get("tz") or "UTC"
    chosen = grouping.periods(every, tz)
    wanted = ["error", "reason", "task_id", "cluster"]
    prepared = prepare.prepare(tasks, [], options, as_of=as_of, taken=(), wanted=wanted)
    covered = totals.count_totals(prepared)
    low, high = covered.first_ms or 0, covered.last_ms or 0
    periods = chosen or choose_periods(low, high + 1, tz)
    first, last = periods.number_at(low), periods.number_at(high)
    if last - first >= MOST_PERIODS:
        raise UsageError(f"every: {periods.name} makes {last - first + 1:,} periods; {MOST_PERIODS} is the most")
    failed = error_rows.with_text(prepared.frame.filter(outcomes.has_outcome(schema.FAILED, "partial")))
    dated = failed.filter(~nw.col("start_ms").is_null())
    dated = dated.with_columns(periods.number(nw.col("start_ms").cast(nw.Int64), low, high).alias(PERIOD))
    counts = operations.aggregate(dated, {**KEYS, PERIOD: "int64"}, {"tasks": ("", "len")})
    rows = error_rows.explode(counts, known_errors.load_known_errors(known)).astype({"error": operations.TEXT})
    errors = rows.groupby("error", dropna=False)["tasks"].sum().sort_values(ascending=False, kind="stable").index
    sums = rows.groupby(["error", PERIOD], dropna=False, observed=True)["tasks"].sum()
    numbers = np.arange(first, last + 1)
    every_cell = pd.MultiIndex.from_product([errors, numbers], names=["error", PERIOD])
    table = sums.reindex(every_cell, fill_value=0).reset_index().astype({"error": operations.TEXT, "tasks": "int64"})
    table[PERIOD] = periods.starts(table[PERIOD])
    return report_info.attach_info(table, "errors", prepared, covered, [], tz=tz, keys=["error", PERIOD])
