"""How work spreads over the nodes: tasks, failures, and the load of tasks in flight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks import engines, schema
from mltasks.engines import Tasks
from mltasks.filters import RateOptions
from mltasks.reports import grouping, result
from mltasks.reports.grouping import Grouped
from mltasks.reports.statistics import wilson

NODE = "worker_node"
COLUMNS = (
    *("node_name", "tasks", "completed", "failed", "failure_rate", "failure_rate_low", "failure_rate_high"),
    *("task_s", "task_share", "active_s", "mean_in_flight", "peak_in_flight"),
)


def workers(
    tasks: Any,
    by: str | Sequence[str] = (NODE,),
    *,
    as_of: Any = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Return the load of the worker nodes, a row a node; a known node without a task is a row too.

    Columns: the keys; node_name; tasks, completed, failed, failure_rate with its Wilson 95 % interval; task_s, the
    sum of the tasks' time in flight [s]; task_share, the part of all nodes' task_s; active_s, the time with at
    least one task in flight [s]; mean_in_flight and peak_in_flight [tasks].

    A task is in flight on each of its nodes from create_time to its end (open: `as_of`); the record cannot tell
    queued from running. No load: overdue tasks, batch predictions (they run at their provider), clock skew.
    Registrations of remote models list only the coordinating node and are in no row. A task with several nodes
    counts once on each; a deployment failed on the nodes that its error names.

    One window for all nodes: [since or the first create_time, until or `as_of`); it selects the tasks in flight in
    it and clips them. Raises UsageError as `failures` does.
    """
    prepared = engines.border(tasks, by, dict(options), as_of=as_of, overlap=True)
    result.refuse_outcomes("workers", prepared)
    coordinated = nw.col("task_type").is_in(schema.REGISTRATIONS) & (nw.col("function_name") == "REMOTE")
    census = result.Census(prepared)
    remote = engines.to_pandas(prepared.frame.filter(coordinated).select(n=nw.len()))["n"][0]
    known = nw.when(coordinated).then(nw.lit(value=True)).otherwise(nw.lit(value=False))  # null is not remote
    kept = Tasks(prepared.frame.filter(~known), prepared.context, prepared.filters, prepared.by)
    grouped = grouping.group(kept)
    if NODE in grouped.keys:
        grouped = Grouped(grouped.frame.filter(~nw.col(NODE).is_null()), grouped.keys)
    low, high = _window(prepared, census)
    found = _counts(grouped).merge(_load(grouped, low, high), on=list(grouped.keys), how="left")
    found = _with_idle_nodes(grouped.finish(found), prepared)
    found = result.whole_numbers(found, ("tasks", "completed", "failed", "peak_in_flight"))
    rates = wilson(found["failed"], found["completed"] + found["failed"])
    for name, rate in zip(("failure_rate", "failure_rate_low", "failure_rate_high"), rates, strict=True):
        found[name] = rate
    found[["task_s", "active_s"]] = found[["task_s", "active_s"]].fillna(0.0)
    total = found["task_s"].sum()
    found["task_share"] = found["task_s"] / total if total else float("nan")
    found["mean_in_flight"] = found["task_s"] * 1000 / (high - low) if high > low else float("nan")
    keys = grouped.shown
    columns = [*keys, *(c for c in COLUMNS if c != "node_name" or NODE in keys)]
    notes = [*result.RATE_NOTES, *_notes(int(remote), NODE in keys)]
    return result.attach(found[columns], "workers", prepared, census, notes, keys=keys)


def _counts(grouped: Grouped) -> pd.DataFrame:
    outcome = nw.col("outcome")
    flags = {"completed": outcome.is_in(schema.COMPLETED), "failed": outcome == schema.FAILED}
    frame = grouped.frame.with_columns(**{name: flag.cast(nw.Int64) for name, flag in flags.items()})
    counted = frame.group_by(*grouped.keys).agg(nw.len().alias("tasks"), *(nw.col(name).sum() for name in flags))
    return engines.to_pandas(counted)


def _load(grouped: Grouped, low: int, high: int) -> pd.DataFrame:
    """Return task_s, active_s and peak_in_flight: a sweep over starts and ends, netted per instant.

    Netting puts ends before starts at one instant. Time with at least one task is the sum of the instants at
    which the level falls to zero minus those at which it leaves zero.
    """
    keys = grouped.keys
    lives = _lives(grouped, low, high)
    spent = lives.with_columns(spent=nw.col("end") - nw.col("start")).group_by(*keys).agg(nw.col("spent").sum())
    steps = nw.concat(
        [lives.select(*keys, at=nw.col(c).cast(nw.Int64), step=nw.lit(s)) for c, s in (("start", 1), ("end", -1))]
    )
    net = steps.group_by(*keys, "at").agg(nw.col("step").sum()).with_columns(nw.col("step").cast(nw.Int64))
    level = net.with_columns(level=nw.col("step").cum_sum().over(*keys, order_by="at"))
    before = nw.col("level") - nw.col("step")
    idle = nw.when((nw.col("level") == 0) & (before > 0)).then(nw.col("at")).otherwise(nw.lit(0))
    busy = nw.when((nw.col("level") > 0) & (before == 0)).then(nw.col("at")).otherwise(nw.lit(0))
    edges = level.with_columns(active=idle - busy)
    swept = edges.group_by(*keys).agg(peak_in_flight=nw.col("level").max(), active=nw.col("active").sum())
    found = engines.to_pandas(spent).merge(engines.to_pandas(swept), on=list(keys))
    found["task_s"] = found.pop("spent") / 1000
    found["active_s"] = found.pop("active") / 1000
    return found


def _lives(grouped: Grouped, low: int, high: int) -> nw.LazyFrame[Any]:
    """Return start and end [ms] of the tasks in flight in the window, clipped to it."""
    start, end = nw.col("start_ms"), nw.col("end_ms")
    none = (
        start.is_null()
        | end.is_null()
        | nw.col("task_type").is_in(schema.POLLED)
        | nw.col("duration_status").is_in(("clock_skew", "implausible"))
    )
    frame = grouped.frame.filter(~nw.when(none).then(nw.lit(value=True)).otherwise(nw.lit(value=False)))
    frame = frame.select(*grouped.keys, start=start.cast(nw.Int64), end=end.cast(nw.Int64))
    # at least 1 ms; a task that ends before it starts was left out as clock skew
    frame = frame.with_columns(
        end=nw.when(nw.col("end") <= nw.col("start")).then(nw.col("start") + 1).otherwise(nw.col("end"))
    )
    frame = frame.with_columns(
        start=nw.when(nw.col("start") < low).then(nw.lit(low)).otherwise(nw.col("start")),
        end=nw.when(nw.col("end") > high).then(nw.lit(high)).otherwise(nw.col("end")),
    )
    return frame.filter(nw.col("start") < nw.col("end"))


def _window(tasks: Tasks, census: result.Census) -> tuple[int, int]:
    as_of = tasks.context.as_of_ms
    low = tasks.filters.since_ms if tasks.filters.since_ms is not None else census.first_ms
    high = tasks.filters.until_ms if tasks.filters.until_ms is not None else as_of
    return low or 0, min(high or 0, as_of or 0)


def _with_idle_nodes(found: pd.DataFrame, tasks: Tasks) -> pd.DataFrame:
    """Add a row for each node of the clusters without a task, where nodes are the only key; and the names."""
    if NODE not in found.columns:
        return found
    names = tasks.context.names()
    if tasks.by == (NODE,):
        words = tasks.filters.node
        wanted = [n for n in names if not words or any(w in n.lower() or w in names[n].lower() for w in words)]
        idle = [node for node in wanted if node not in set(found[NODE])]
        if idle:
            found = pd.concat(
                [found, pd.DataFrame({NODE: pd.Series(idle, dtype=found[NODE].dtype)})], ignore_index=True
            )
    found["node_name"] = found[NODE].map(names).astype(engines.TEXT)
    return found.sort_values(["node_name", *tasks.by], ignore_index=True)


def _notes(remote: int, by_node: bool) -> list[str]:
    found = []
    if by_node:
        found.append("a task with several nodes counts once on each of them")
    if remote:
        found.append(f"{remote} registrations of remote models left out: they name only the coordinating node")
    return found
