"""The reports' numbers in straightforward pandas, as an analyst writes it for one table and one question.

It takes the stored columns only, and nothing of mltasks. What the reports do beside, it leaves out: other columns to
group by, filters, zones, several clusters, unknown states, tasks that are there twice, what to know of the numbers.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

COMPLETED = ["COMPLETED", "COMPLETED_WITH_ERROR"]
FAILED = ["FAILED", "EXPIRED", "UNREACHABLE"]
FINISHED = [*COMPLETED, *FAILED, "CANCELLED"]
REGISTRATIONS = ["REGISTER_MODEL", "UPLOAD_MODEL"]
DEPLOYMENTS = ["DEPLOY_MODEL", "LOAD_MODEL"]
SWEPT = ["TRAINING", *REGISTRATIONS, *DEPLOYMENTS, "BATCH_INGEST"]
KEYS = ["task_type", "function_name"]
TIMES = ["create_time", "last_update_time"]
COLUMNS = {
    "durations": [*KEYS, "state", *TIMES],
    "failures": [*KEYS, "state", *TIMES],
    "workers": [*KEYS, "state", *TIMES, "worker_node", "error"],
}
EARLIEST = pd.Timestamp("2019-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)


def durations(tasks: pd.DataFrame, as_of: pd.Timestamp, timeout: pd.Timedelta) -> pd.DataFrame:
    """Return counts and percentiles of the seconds to completion."""
    state, created, updated = tasks["state"], tasks["create_time"], tasks["last_update_time"]
    completed = state.isin(COMPLETED)
    plausible = (created >= EARLIEST) & (created <= as_of + DAY) & (updated <= as_of + DAY)
    seconds = (updated - created).dt.total_seconds()
    measured = completed & plausible & (tasks["task_type"] != "BATCH_PREDICTION") & (seconds >= 0)
    groups = (
        tasks[KEYS]
        .assign(
            completed=completed,
            failed=state.isin(FAILED),
            cancelled=state == "CANCELLED",
            open=~state.isin(FINISHED),
            seconds=seconds.where(measured),
        )
        .groupby(KEYS, dropna=False)
    )
    found = groups.agg(
        tasks=("completed", "size"),
        completed=("completed", "sum"),
        failed=("failed", "sum"),
        cancelled=("cancelled", "sum"),
        open=("open", "sum"),
        measured=("seconds", "count"),
        mean_s=("seconds", "mean"),
        max_s=("seconds", "max"),
    )
    quantiles = groups["seconds"].quantile(np.array([0.5, 0.9, 0.95, 0.99])).unstack()
    quantiles.columns = ["p50_s", "p90_s", "p95_s", "p99_s"]
    return found.join(quantiles).reset_index()


def failures(tasks: pd.DataFrame, as_of: pd.Timestamp, timeout: pd.Timedelta, every: str | None = None) -> pd.DataFrame:
    """Return counts, failure rates with intervals, the last success and the first failure after it.

    The intervals are Wilson's, wider where failures come in bursts.
    """
    state, created, updated = tasks["state"], tasks["create_time"], tasks["last_update_time"]
    completed, failed = state.isin(COMPLETED), state.isin(FAILED)
    frame = tasks[KEYS].assign(
        completed=completed,
        partial=state == "COMPLETED_WITH_ERROR",
        failed=failed,
        cancelled=state == "CANCELLED",
        open=~state.isin(FINISHED),
    )
    keys = list(KEYS)
    start = created.where((created >= EARLIEST) & (created <= as_of + DAY))
    if every is None:
        width = start.max() - start.min() + pd.Timedelta(1, "ms")
        frame["block"] = ((start - start.min()) * 20 // width).fillna(0)
    else:
        frame["period"], frame["block"] = start.dt.floor(every), start.dt.floor("72min")  # 20 in a day
        frame = frame[frame["period"].notna()]
        keys.append("period")
    found = frame.groupby(keys, dropna=False).agg(
        tasks=("completed", "size"),
        completed=("completed", "sum"),
        partial=("partial", "sum"),
        failed=("failed", "sum"),
        cancelled=("cancelled", "sum"),
        open=("open", "sum"),
    )
    if every is None:  # they are about now
        last = start.where(completed).groupby([tasks[key] for key in keys], dropna=False).transform("max")
        end = updated.where((tasks["task_type"] != "BATCH_PREDICTION") & (updated > start), start)
        frame["success"] = end.where(end < as_of, as_of).where(completed & (start == last))
        frame["failing"] = start.where(failed & (last.isna() | (start > last)))
        runs = frame.groupby(keys, dropna=False)
        found = found.join(
            runs.agg(
                last_success=("success", "max"),
                failing_since=("failing", "min"),
                failures_in_a_row=("failing", "count"),
            )
        )
    counts = frame.groupby([*keys, "block"], dropna=False)[["completed", "failed"]].sum().reset_index()
    return _with_rates(found, _design_effect(counts, keys)).reset_index()


def failures_by_day(tasks: pd.DataFrame, as_of: pd.Timestamp, timeout: pd.Timedelta) -> pd.DataFrame:
    """Return `failures` a row a day."""
    return failures(tasks, as_of, timeout, "D")


def workers(tasks: pd.DataFrame, as_of: pd.Timestamp, timeout: pd.Timedelta) -> pd.DataFrame:
    """Return counts, failure rates and the load of each node: a sweep over starts and ends."""
    coordinated = tasks["task_type"].isin(REGISTRATIONS) & (tasks["function_name"] == "REMOTE")
    created = tasks["create_time"]
    low = created[(created >= EARLIEST) & (created <= as_of + DAY)].min()
    rows = _by_node(tasks[~coordinated])
    found = rows.groupby("worker_node").agg(
        tasks=("completed", "size"), completed=("completed", "sum"), failed=("failed", "sum")
    )
    lives = _lives(rows, as_of, timeout)
    found["task_s"] = (lives["end"] - lives["start"]).dt.total_seconds().groupby(lives["worker_node"]).sum()
    steps = pd.concat(
        [
            lives[["worker_node", "start"]].rename(columns={"start": "at"}).assign(step=1),
            lives[["worker_node", "end"]].rename(columns={"end": "at"}).assign(step=-1),
        ]
    ).sort_values(["worker_node", "at", "step"], ignore_index=True)
    steps["level"] = steps.groupby("worker_node")["step"].cumsum()
    lasts = steps.groupby("worker_node")["at"].shift(-1) - steps["at"]
    found["active_s"] = lasts[steps["level"] > 0].dt.total_seconds().groupby(steps["worker_node"]).sum()
    found["peak_in_flight"] = steps.groupby("worker_node")["level"].max()
    found["task_share"] = found["task_s"] / found["task_s"].sum()
    found["mean_in_flight"] = found["task_s"] / (as_of - low).total_seconds()
    return _with_rates(found).reset_index()


def _by_node(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return one row per task and node; a deployment failed on the nodes that its error names."""
    state = tasks["state"]
    tasks = tasks.assign(completed=state.isin(COMPLETED), failed=state.isin(FAILED))
    if tasks["worker_node"].dtype != object:
        tasks["worker_node"] = tasks["worker_node"].str.split(",")
    named = tasks["task_type"].isin(DEPLOYMENTS) & tasks["error"].str.startswith("{", na=False)
    deployed = tasks[named].copy()
    errors = [json.loads(error) for error in deployed["error"]]
    deployed["named"] = errors
    deployed["worker_node"] = [
        list(dict.fromkeys([*nodes, *error])) for nodes, error in zip(deployed["worker_node"], errors, strict=True)
    ]
    deployed = deployed.explode("worker_node")
    failed = np.array([n in e for n, e in zip(deployed["worker_node"], deployed.pop("named"), strict=True)], dtype=bool)
    ended = deployed["completed"] | deployed["failed"]
    deployed["failed"] = failed
    deployed["completed"] = ended & ~failed
    return pd.concat([tasks[~named].explode("worker_node"), deployed], ignore_index=True).dropna(subset="worker_node")


def _lives(rows: pd.DataFrame, as_of: pd.Timestamp, timeout: pd.Timedelta) -> pd.DataFrame:
    """Return when the tasks began and ended: an overdue one with its time-out; none at a provider, none impossible."""
    is_open = ~rows["state"].isin(FINISHED)
    start = rows["create_time"]
    end = rows["last_update_time"].where(~is_open, as_of)
    overdue = is_open & rows["task_type"].isin(SWEPT) & (as_of - start > timeout + pd.Timedelta(seconds=60))
    end = end.where(~overdue, start + timeout)
    plausible = (start >= EARLIEST) & (start <= as_of + DAY) & (end <= as_of + DAY) & (end >= start)
    lives = pd.DataFrame({"worker_node": rows["worker_node"], "start": start, "end": end})
    lives = lives[plausible & (rows["task_type"] != "BATCH_PREDICTION")]
    at_least = lives["start"] + pd.Timedelta(milliseconds=1)
    end = lives["end"].where(lives["end"] > at_least, at_least)
    lives["end"] = end.where(end < as_of, as_of)
    return lives[lives["start"] < lives["end"]]


def _design_effect(counts: pd.DataFrame, keys: list[str]) -> pd.Series[Any]:
    """Return by how much the shares of the 20 blocks of time vary more than those of independent tasks would."""
    counts["n"] = counts["completed"] + counts["failed"]
    counts = counts[counts["n"] > 0]
    groups = counts.groupby(keys, dropna=False)
    share = groups["failed"].transform("sum") / groups["n"].transform("sum")
    counts["square"] = (counts["failed"] - counts["n"] * share) ** 2
    sums = counts.groupby(keys, dropna=False).agg(
        n=("n", "sum"), failed=("failed", "sum"), square=("square", "sum"), blocks=("n", "size")
    )
    rate, blocks = sums["failed"] / sums["n"], sums["blocks"]
    effect = blocks / (blocks - 1) * sums["square"] / sums["n"] / (rate * (1 - rate))
    return effect.where((blocks >= 5) & (rate > 0) & (rate < 1)).clip(1)


def _with_rates(found: pd.DataFrame, effect: pd.Series[Any] | float = 1.0) -> pd.DataFrame:
    z = 1.959963984540054
    n: Any = found["completed"] + found["failed"]
    n = n.where(n > 0)
    rate = found["failed"] / n
    n = n / (effect if isinstance(effect, float) else effect.reindex(found.index).fillna(1))
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return found.assign(
        failure_rate=rate,
        failure_rate_low=(centre - half).mask(rate == 0, 0.0),
        failure_rate_high=(centre + half).mask(rate == 1, 1.0),
    )


REPORTS = {"durations": durations, "failures": failures, "failures by day": failures_by_day, "workers": workers}
