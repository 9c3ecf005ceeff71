"""What the deployments of each model come to: how many, how many failed, the last ones, and since when they fail.

They are read in the order of their creation, some at a time; what is kept is one row per model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, cast

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations
from mltasks.engines.dataset import Tasks
from mltasks.exceptions import UsageError
from mltasks.tasks import outcomes, schema

TEXTS = ("function_name", "error", "task_type")
MOST = 5_000_000  # models that are taken into memory
REDEPLOY_MS = 600_000  # after a node's start
FAILED = outcomes.OUTCOME["failed"]
ENDED = (FAILED, outcomes.OUTCOME["succeeded"], outcomes.OUTCOME["partial"])
NONE = -1  # of the latest that ended: there is none
COUNTS = ("deploys", "failed", "failures_in_a_row", "switches", "redeploys")
TIMES = ("last_success_ms", "failing_since_ms", "last_start_ms")


class DeploymentSummary(TypedDict):
    """What the deployments of one model come to; times in ms, nan where there is none."""

    model_id: str
    deploys: int
    failed: int
    failures_in_a_row: int  # after the newest one that completed
    switches: int  # between failing and not
    redeploys: int  # within ten minutes of a node's start
    last_success_ms: float  # when the newest one that completed ended
    failing_since_ms: float  # when the first of those in a row was created
    last_start_ms: float | None  # of the newest one, as its outcome, error and type
    last_outcome: str | None
    error: str | None
    task_type: str | None
    function_name: str | None  # the newest that is known


def none_of(model_id: str) -> DeploymentSummary:
    """Return the row of a model that no task deployed."""
    return {
        "model_id": model_id,
        "deploys": 0,
        "failed": 0,
        "failures_in_a_row": 0,
        "switches": 0,
        "redeploys": 0,
        "last_success_ms": math.nan,
        "failing_since_ms": math.nan,
        "last_start_ms": None,
        "last_outcome": None,
        "error": None,
        "task_type": None,
        "function_name": None,
    }


def read_deployments(tasks: Tasks, node_starts: Sequence[int]) -> list[DeploymentSummary]:
    """Return one row per model that was ever deployed; `node_starts` in ms.

    Raises UsageError for more than MOST models.
    """
    is_deploy = nw.col("task_type").cast(nw.String).is_in(sorted(schema.DEPLOYMENTS))
    frame = tasks.frame.filter(is_deploy, ~nw.col("model_id").is_null()).select(
        *(nw.col(name).cast(nw.String) for name in ("model_id", *TEXTS)), "start_ms", "end_ms", "outcome_code"
    )
    deployments = Deployments(node_starts)
    for batch in operations.iter_sorted(frame, "start_ms", "end_ms"):
        deployments.add(batch)
    return list(deployments)


class Deployments:
    """The rows of all models so far: each column is an array whose places are the numbers of models."""

    def __init__(self, node_starts: Sequence[int]) -> None:
        self._starts = np.sort(np.asarray(node_starts, "float64"))
        self._numbers: dict[str, int] = {}
        self._columns: dict[str, np.ndarray[Any, Any]] = {
            **{name: np.zeros(0, "int64") for name in COUNTS},
            **{name: np.full(0, np.nan) for name in TIMES},
            **{name: np.full(0, None, dtype=object) for name in TEXTS},
            "last_code": np.zeros(0, "int64"),
            "latest": np.zeros(0, "int8"),  # whether the newest one that ended has failed, or NONE
        }

    def add(self, batch: pd.DataFrame) -> None:
        """Add deployments that were created after all that are here."""
        if batch.empty:
            return
        number = self._number(batch["model_id"])
        order = np.argsort(number, kind="stable")
        rows, number = batch.iloc[order], number[order]
        start, end = (rows[name].to_numpy("float64", na_value=np.nan) for name in ("start_ms", "end_ms"))
        code = rows["outcome_code"].to_numpy("int64")
        columns = self._columns
        models, first, last = _stretches(number)
        columns["deploys"][models] += last - first + 1
        columns["redeploys"][models] += np.add.reduceat(self._is_redeploy(start).astype("int64"), first)
        columns["last_start_ms"][models], columns["last_code"][models] = start[last], code[last]
        for name in ("error", "task_type"):
            columns[name][models] = _texts(rows[name].iloc[last])
        named = np.flatnonzero(rows["function_name"].notna().to_numpy())
        models, _, last = _stretches(number[named])
        columns["function_name"][models] = _texts(rows["function_name"].iloc[named[last]])
        ended = np.isin(code, ENDED)
        self._add_ended(number[ended], code[ended] == FAILED, start[ended], end[ended])

    def _add_ended(self, number: Any, failed: Any, start: Any, end: Any) -> None:
        if not len(number):
            return
        columns = self._columns
        models, first, last = _stretches(number)
        columns["failed"][models] += np.add.reduceat(failed.astype("int64"), first)
        changes = np.zeros(len(number), "int64")
        changes[1:] = (number[1:] == number[:-1]) & (failed[1:] != failed[:-1])
        latest = columns["latest"][models]
        columns["switches"][models] += np.add.reduceat(changes, first) + ((latest != NONE) & (latest != failed[first]))
        columns["latest"][models] = failed[last]
        completed = np.maximum.reduceat(np.where(failed, -1, np.arange(len(number))), first)  # the newest; -1: none
        has = completed >= 0
        run = columns["failures_in_a_row"][models]
        begins = np.where(has, completed + 1, first)
        is_new = (has | (run == 0)) & (begins <= last)
        since = np.where(has, np.nan, columns["failing_since_ms"][models])
        columns["failing_since_ms"][models] = np.where(is_new, start[np.minimum(begins, last)], since)
        columns["failures_in_a_row"][models] = last - begins + 1 + np.where(has, 0, run)
        columns["last_success_ms"][models[has]] = end[completed[has]]

    def __iter__(self) -> Iterator[DeploymentSummary]:
        """Yield the row of each model."""
        words = {number: name for name, number in outcomes.OUTCOME.items()}
        names = [name for name in self._columns if name not in ("last_code", "latest")]
        rows = zip(*(self._columns[name].tolist() for name in names), strict=True)
        codes = self._columns["last_code"].tolist()
        for model_id, code, row in zip(self._numbers, codes, rows, strict=True):
            last = {"model_id": model_id, "last_outcome": words.get(code, schema.OPEN)}
            yield cast(DeploymentSummary, last | dict(zip(names, row, strict=True)))

    def _number(self, models: pd.Series[Any]) -> Any:
        """Return the number of each row's model; new ones get the next, and a place in each column."""
        codes, different = pd.factorize(models)
        numbers = self._numbers
        places = np.array([numbers.setdefault(str(model), len(numbers)) for model in different], "int64")
        if len(numbers) > MOST:
            raise UsageError(
                f"models takes {MOST:,} models into memory at most, and there are more; choose a shorter time with "
                "since (--since), or some of them with model (--model)"
            )
        new = len(numbers) - len(self._columns["deploys"])
        fill = {"latest": NONE} | dict.fromkeys(TIMES, np.nan) | dict.fromkeys(TEXTS)
        if new:
            for name, values in self._columns.items():
                more = np.full(new, fill.get(name, 0), dtype=values.dtype)
                self._columns[name] = np.concatenate([values, more])
        return places[codes]

    def _is_redeploy(self, start: Any) -> Any:
        """Tell of each time whether a node had started shortly before."""
        before = np.searchsorted(self._starts, start, side="right")  # nodes that had started by then
        earliest = np.searchsorted(self._starts, start - REDEPLOY_MS, side="left")
        return before > earliest


def _stretches(number: Any) -> tuple[Any, Any, Any]:
    """Return the different numbers of some in order, and where each begins and ends."""
    first = np.flatnonzero(np.diff(number, prepend=-1))
    return number[first], first, np.flatnonzero(np.diff(number, append=-1))


def _texts(values: pd.Series[Any]) -> Any:
    """Return texts as objects, None where one is missing."""
    return values.astype(object).where(values.notna(), None).to_numpy()
