from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.reports.thread_queue import wait_and_run


@pytest.mark.parametrize(
    ("threads", "waits", "runs"),
    [(1, [0, 9, 18, 0], [10, 10, 10, 5]), (2, [0, 0, 8, 0], [10, 19, 20, 5]), (3, [0, 0, 0, 0], [10, 19, 28, 5])],
)
def test_a_hand_worked_queue(threads: int, waits: list[int], runs: list[int]) -> None:
    result = wait_and_run([0, 1, 2, 100], [10, 20, 30, 105], threads)
    assert (result.wait_ms.tolist(), result.run_ms.tolist()) == (waits, runs)


def test_a_run_below_zero_shows_that_the_order_was_another_one() -> None:
    assert wait_and_run([0, 1], [10, 5], 1).run_ms.tolist() == [10, -5]


def test_no_task_waits_for_nothing() -> None:
    assert wait_and_run([], [], 1).wait_ms.tolist() == wait_and_run([], [], 4).wait_ms.tolist() == []


lives = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=30)


@given(lives, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_task_starts_when_fewer_than_the_threads_are_taken(tasks: list[tuple[int, int]], threads: int) -> None:
    created = np.array(sorted(begin for begin, _ in tasks), "int64")
    ended = created + np.array([lasted for _, lasted in tasks], "int64")
    result = wait_and_run(created, ended, threads)
    for place, begin in enumerate(created):
        earlier = sorted(ended[:place].tolist(), reverse=True)
        free = earlier[threads - 1] if len(earlier) >= threads else begin
        assert result.wait_ms[place] == max(begin, free) - begin
    assert (result.wait_ms + result.run_ms == ended - created).all()


def test_what_real_trainings_waited_for_the_one_thread_of_their_node() -> None:
    tasks = mltasks.load("demo", task_type="TRAINING", not_outcome="open")
    tasks = tasks[~tasks["reason"].fillna("").str.contains("rejected execution")].sort_values("create_time")
    for _, rows in tasks.groupby("worker_node"):
        result = wait_and_run(rows["create_time"].astype("int64"), rows["last_update_time"].astype("int64"), 1)
        tasks.loc[rows.index, "wait_s"] = result.wait_ms / 1000
        tasks.loc[rows.index, "run_s"] = result.run_ms / 1000
    completed = tasks[tasks["outcome"] == "succeeded"]
    assert round(completed["wait_s"].sum(), 1) == 694.5
    assert round(completed["duration_s"].sum(), 1) == 914.3
    assert ((completed["run_s"] < 0).sum(), completed["run_s"].min()) == (3, pytest.approx(-0.827))
    rows = completed[completed["function_name"] == "LOGISTIC_REGRESSION"]
    waited = rows[rows["wait_s"] > 0]
    assert (len(waited), len(rows)) == (38, 59)
    assert (waited["wait_s"].median(), waited["run_s"].median()) == pytest.approx((13.97, 1.983))
    assert rows.loc[rows["wait_s"] == 0, "run_s"].median() == pytest.approx(0.417)
