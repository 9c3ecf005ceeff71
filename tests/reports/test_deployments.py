"""What deployments come to, however they are cut into batches, as a loop over each model's finds it."""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mltasks.reports.deployments import Deployments, none_of
from mltasks.tasks import outcomes

STARTS = (1_000, 5_000_000)  # of nodes [ms]
OUTCOMES = ("succeeded", "partial", "failed", "cancelled", "open")
Row = dict[str, Any]


@st.composite
def deploys(draw: st.DrawFn) -> list[Row]:
    """Draw deployments in the order of their creation."""
    rows: list[Row] = [
        {
            "model_id": draw(st.sampled_from(("a", "b", "c"))),
            "function_name": draw(st.sampled_from(("REMOTE", "TEXT_EMBEDDING", None))),
            "error": draw(st.sampled_from((None, "e1", "e2"))),
            "task_type": draw(st.sampled_from(("DEPLOY_MODEL", "LOAD_MODEL"))),
            "start_ms": float(draw(st.integers(0, 6_000_000))),
            "outcome": draw(st.sampled_from(OUTCOMES)),
        }
        for _ in range(draw(st.integers(0, 12)))
    ]
    for row in rows:
        row["end_ms"] = math.nan if row["outcome"] == "open" else row["start_ms"] + draw(st.integers(1, 10))
        row["outcome_code"] = outcomes.OUTCOME.get(row["outcome"], -1)
    return sorted(rows, key=lambda row: (row["start_ms"], row["end_ms"]))


def loop(rows: list[Row]) -> dict[str, Row]:
    """Return what the deployments of each model come to, the slow way."""
    found = {}
    for model, group in groupby(sorted(rows, key=itemgetter("model_id")), key=itemgetter("model_id")):
        mine = list(group)
        ended = [row for row in mine if row["outcome"] in ("succeeded", "partial", "failed")]
        failed = [row["outcome"] == "failed" for row in ended]
        in_a_row = next((n for n, each in enumerate(reversed(failed)) if not each), len(failed))
        completed = [row for row, each in zip(ended, failed, strict=True) if not each]
        found[model] = {
            "deploys": len(mine),
            "failed": sum(failed),
            "failures_in_a_row": in_a_row,
            "switches": sum(one != other for one, other in pairwise(failed)),
            "redeploys": sum(any(start <= row["start_ms"] <= start + 600_000 for start in STARTS) for row in mine),
            "last_success_ms": completed[-1]["end_ms"] if completed else math.nan,
            "failing_since_ms": ended[-in_a_row]["start_ms"] if in_a_row else math.nan,
            "last_start_ms": mine[-1]["start_ms"],
            "last_outcome": mine[-1]["outcome"],
            "error": mine[-1]["error"],
            "task_type": mine[-1]["task_type"],
            "function_name": next((row["function_name"] for row in reversed(mine) if row["function_name"]), None),
        }
    return found


@given(deploys(), st.lists(st.integers(0, 12), max_size=3))
def test_deployments_come_to_what_a_loop_finds(rows: list[Row], cuts: list[int]) -> None:
    found = Deployments(STARTS)
    for first, last in pairwise([0, *sorted(cuts), len(rows)]):
        found.add(pd.DataFrame(rows[first:last], columns=[*(rows[0] if rows else ())]))
    table = {row["model_id"]: {name: value for name, value in row.items() if name != "model_id"} for row in found}
    assert {model: repr(sorted(row.items())) for model, row in table.items()} == {
        model: repr(sorted(row.items())) for model, row in loop(rows).items()
    }


def test_a_model_that_no_task_deployed_has_the_same_columns() -> None:
    found = Deployments(())
    row = {"model_id": "a", "function_name": None, "error": None, "task_type": "DEPLOY_MODEL"}
    found.add(pd.DataFrame([row | {"start_ms": 1.0, "end_ms": 2.0, "outcome_code": outcomes.OUTCOME["failed"]}]))
    assert [*next(iter(found))] != []
    assert {*next(iter(found))} == {*none_of("a")}
