"""One task for each group: the newest with its commonest error, the slowest, the one created last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.prepare import Tasks
from mltasks.reports import error_rows, known_errors
from mltasks.reports.error_rows import TEXT
from mltasks.tasks import outcomes, schema

AT = "at_ms"  # of each row, or group: what the example is the greatest of


def find_examples(frame: nw.LazyFrame[Any], groups: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return groups with `example_task_id`: a task of the group whose AT is that of the group; of several the first."""
    names = list(keys)
    rows = operations.left_join(frame, groups[[*names, AT]].rename(columns={AT: "greatest_ms"}), names)
    rows = rows.filter(nw.col(AT) == nw.col("greatest_ms"))
    types = {name: groups[name].dtype for name in names}
    ids = operations.to_pandas(rows.select(*names, nw.col("task_id").cast(nw.String)), types)
    ids = ids.sort_values("task_id").groupby(names, dropna=False, as_index=False, observed=True).first()
    return groups.merge(ids.rename(columns={"task_id": "example_task_id"}), on=names, how="left")


def find_greatest(frame: nw.LazyFrame[Any], keys: Sequence[str]) -> pd.DataFrame:
    """Return one row per group: AT, the greatest, and the example that has it."""
    types = dict.fromkeys(keys, operations.TEXT)
    groups = operations.aggregate(frame, types, {AT: (AT, "max")})
    return find_examples(frame, groups, keys)


def find_common_errors(tasks: Tasks, groups: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return of each group its commonest error, the share of its failed tasks that have it, and the newest of these.

    `groups`: the keys, and `from_ms`, from which create_time on failed tasks count; missing: all. Columns added: error,
    share, example_task_id; missing where no task has failed, error also where failed tasks have no text.
    """
    names = list(keys)
    failed = error_rows.with_text(tasks.frame.filter(outcomes.has_outcome(schema.FAILED)))
    failed = failed.with_columns(nw.col("start_ms").alias(AT))
    joined = operations.left_join(failed, groups[[*names, "from_ms"]].assign(is_wanted=1), names)
    start, begin = nw.col("start_ms"), nw.col("from_ms")
    joined = joined.filter(~nw.col("is_wanted").is_null()).filter(begin.is_null() | (start >= begin))
    types = dict.fromkeys([*names, *error_rows.KEYS], operations.TEXT)
    counts = operations.aggregate(joined, types, {"tasks": ("", "len"), AT: (AT, "max")})
    rows = error_rows.explode(counts, known_errors.load_known_errors(None)).astype({"error": operations.TEXT})
    by_error = [*names, "error"]
    sums = rows.groupby(by_error, dropna=False, observed=True, as_index=False).agg({"tasks": "sum", AT: "max"})
    total = counts.groupby(names, dropna=False, observed=True, as_index=False).agg(all=("tasks", "sum"))
    sums = sums.sort_values(["tasks", AT, "error"], ascending=[False, False, True], kind="stable")
    sums = sums.groupby(names, dropna=False, observed=True, sort=False).head(1).merge(total, on=names)
    newest = sums[[*by_error, AT]].merge(rows[[*by_error, TEXT, AT]].drop_duplicates(), on=[*by_error, AT])
    newest = newest.sort_values(TEXT).groupby(names, dropna=False, observed=True, as_index=False).head(1)
    examples = find_examples(joined, newest[[*dict.fromkeys([*names, TEXT]), AT]], [*dict.fromkeys([*names, TEXT])])
    sums = sums.assign(share=sums["tasks"] / sums["all"])[[*by_error, "share"]]
    return groups.merge(sums, on=names, how="left").merge(examples[[*names, "example_task_id"]], on=names, how="left")
