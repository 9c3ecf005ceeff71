"""When errors happened: how many tasks of each group of errors were created in each part of the time covered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.reports import error_rows, known_errors
from mltasks.reports.error_rows import KEYS
from mltasks.tasks import outcomes, schema

PARTS = 48  # of the time that is covered
COLUMNS = ("error", "period", "tasks")


def count_error_times(
    tasks: Any, span: tuple[int | None, int | None], as_of: Any, options: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one row per error and part of the time [first, last] in ms that has a task of it; `period`: its start."""
    first, last = span
    if first is None or last is None:
        nothing = pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
        return nothing.astype({"period": "datetime64[ms, UTC]", "tasks": "int64"})
    width = (last - first) // PARTS + 1
    wanted = ["error", "reason", "task_id", "cluster"]
    prepared = prepare.prepare(tasks, [], dict(options), as_of=as_of, taken=(), wanted=wanted)
    frame = error_rows.with_text(prepared.frame.filter(outcomes.has_outcome(schema.FAILED, "partial")))
    dated = frame.filter(~nw.col("start_ms").is_null())
    dated = dated.with_columns(part=((nw.col("start_ms") - first) // width).cast(nw.Int64))
    counts = operations.aggregate(dated, {**KEYS, "part": "int64"}, {"tasks": ("", "len")})
    rows = error_rows.explode(counts, known_errors.load_known_errors(None)).astype({"error": operations.TEXT})
    table = rows.groupby(["error", "part"], dropna=False, observed=True, as_index=False).agg({"tasks": "sum"})
    starts = pd.to_datetime(first + table["part"].astype("int64") * width, unit="ms", utc=True).dt.as_unit("ms")
    return table.assign(period=starts)[list(COLUMNS)].astype({"tasks": "int64"})
