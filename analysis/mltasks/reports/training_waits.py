"""How long trainings waited for a thread of their node, for `durations`: of all that the node trained, by task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import NO_FILTERS, Dataset, Tasks
from mltasks.reports.grouping import TaskGroups
from mltasks.reports.thread_queue import wait_and_run
from mltasks.tasks import derived, duration_status, outcomes, schema
from mltasks.tasks.metadata import Context

COLUMNS = ("wait_s", "run_s", "wait_share")
ID = ("cluster", "task_id")
OF = ("of_cluster", "of_task")  # the same beside the keys of a group, which may have their names
TEXTS = dict.fromkeys((*ID, "nodes_text"), operations.TEXT)
TRAININGS = "measured_trainings"
REJECTED = "rejected execution"  # in the error of a task that never came to a thread
HIDING = ("function_name", "model", "error", "state", "not_state", "outcome", "not_outcome", "query")
MOST = 1_000_000  # trainings that are put in order at once


class Waits(NamedTuple):
    """Trainings by cluster and task_id with wait_ms, run_ms, lasted_ms, is_early (ended before it began); notes."""

    rows: pd.DataFrame
    notes: list[str]


def with_waits(table: pd.DataFrame, grouped: TaskGroups, given: Any, tasks: Tasks, as_of: Any) -> tuple[Any, list[str]]:
    """Return a table with COLUMNS of the measured trainings of each group, and notes.

    wait_s and run_s are medians, wait_share the part of their time that they waited, all missing where nothing is known
    of the pool of their nodes. The table has TRAININGS, how many are measured, and loses it. `grouped`: its tasks, with
    `seconds` where one is measured; `given`: the tasks as they were given to the report, since those that it leaves out
    have held the threads, too.
    """
    trainings = table[TRAININGS].sum()
    table = table.drop(columns=TRAININGS)
    nothing = table.assign(**dict.fromkeys(COLUMNS, float("nan")))
    if not trainings:
        return nothing, []
    waits = _read_waits(given, tasks, as_of)
    if waits.rows.empty:
        return nothing, waits.notes
    frame = grouped.frame.filter(is_training(), ~nw.col("seconds").is_null())
    keys = list(grouped.keys)
    texts = {of: nw.col(name).cast(nw.String) for of, name in zip(OF, ID, strict=True)}
    measured = operations.to_pandas(
        frame.select(*keys, **texts), dict.fromkeys(OF, operations.TEXT) | dict(grouped.types)
    )
    rows = measured.merge(waits.rows.rename(columns=dict(zip(ID, OF, strict=True))), on=list(OF))
    groups = rows.groupby(keys, dropna=False, observed=True, sort=False)[["wait_ms", "run_ms", "lasted_ms"]]
    medians, sums = groups.median(), groups.sum()
    results = pd.DataFrame(
        {
            "wait_s": medians["wait_ms"] / 1000,
            "run_s": medians["run_ms"] / 1000,
            "wait_share": (sums["wait_ms"] / sums["lasted_ms"].where(sums["lasted_ms"] > 0)).clip(upper=1),
        }
    )
    below = int(rows[rows["is_early"]].drop_duplicates([*OF]).shape[0])
    notes = list(waits.notes)
    if below:
        ran = "training ran" if below == 1 else "trainings ran"
        notes.append(
            f"{below:,} {ran} out of the order of creation: {'its' if below == 1 else 'their'} run is taken as 0"
        )
    return table.merge(results.reset_index(), on=keys, how="left"), notes


def is_training() -> nw.Expr:
    """Tell which tasks are trainings."""
    return derived.is_one_of("task_type", ["TRAINING"])


def _read_waits(given: Any, tasks: Tasks, as_of: Any) -> Waits:
    """Return how long each training waited whose node's pool is known."""
    nothing = pd.DataFrame(columns=[*ID])
    context = tasks.context
    if not any(reading.train_pool_size for reading in context.readings):
        return Waits(nothing, ["wait and run are not known: how many threads train on a node was not read"])
    if hiding := [name for name in HIDING if name in context.filters]:
        why = f"{hiding[0]} has left out other trainings of the nodes; group by it, or leave it out"
        return Waits(nothing, [f"wait and run are not known: {why}"])
    whole = replace(given, filters=NO_FILTERS) if isinstance(given, Dataset) else given
    prepared = prepare.prepare(whole, [], {}, as_of=as_of, taken=(), wanted=["status_code", *ID, "error"])
    frame = prepared.frame.filter(is_training(), ~outcomes.has_outcome(schema.OPEN), ~_is_rejected())
    frame = frame.filter(duration_status.has_status("measured") | duration_status.has_status("cut_off"))
    if (n := int(operations.to_pandas(frame.select(n=nw.len()))["n"].item())) > MOST:
        why = f"{n:,} trainings are more than {MOST:,}; choose a shorter time when reading them, by since"
        return Waits(nothing, [f"wait and run are not known: {why}"])
    columns = [nw.col(name).cast(nw.String) for name in TEXTS]
    rows = operations.to_pandas(frame.select(*columns, "start_ms", "updated_ms"), TEXTS)
    return _sweep(rows, context)


def _is_rejected() -> nw.Expr:
    error = nw.col("error").cast(nw.String).str.contains(REJECTED, literal=True)
    return error.fill_null(value=False)


def _sweep(rows: pd.DataFrame, context: Context) -> Waits:
    """Return the waits of trainings, node by node."""
    rows = rows.sort_values(["start_ms", "updated_ms", "task_id"], ignore_index=True)
    parts = []
    for (cluster, node), part in rows.groupby(["cluster", "nodes_text"], dropna=False, sort=False):
        sizes = context.reading(cluster if isinstance(cluster, str) else None).train_pool_size or {}
        if (threads := sizes.get(str(node))) is None or threads < 1:
            continue
        wait, run = wait_and_run(part["start_ms"], part["updated_ms"], threads)
        lasted = part["updated_ms"] - part["start_ms"]
        waited: dict[str, Any] = {"wait_ms": wait, "run_ms": run.clip(min=0), "is_early": run < 0, "lasted_ms": lasted}
        parts.append(part[[*ID]].assign(**waited))
    results = pd.concat(parts) if parts else rows[[*ID]].head(0)
    notes = []
    if "since" in context.filters:
        notes.append("what waited for trainings created before since is not known to have waited for them")
    return Waits(results.dropna(subset="task_id").drop_duplicates([*ID]), notes)
