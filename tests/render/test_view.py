from __future__ import annotations

import pandas as pd
import pytest

from mltasks.exceptions import UsageError
from mltasks.render.sort_and_top import make_view
from mltasks.reports.report_info import with_info
from support.views import info, times


@pytest.fixture
def frame() -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "task_type": pd.Series(["B", "A", "C", None], dtype="str"),
            "tasks": [2, 9, 9, 1],
            "p50_s": [0.5, None, 3.0, 1.0],
            "last_success": times("2025-11-03", "2025-11-01", None, "2025-11-02"),
        }
    )
    return with_info(made, info(notes=["said before"]))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, [0, 1, 2, 3]),
        ("tasks", [1, 2, 0, 3]),
        ("tasks:desc", [1, 2, 0, 3]),
        ("tasks:asc", [3, 0, 1, 2]),
        ("task_type", [1, 0, 2, 3]),
        ("task_type:desc", [2, 0, 1, 3]),
        ("p50_s", [2, 3, 0, 1]),
        ("p50_s:asc", [0, 3, 2, 1]),
        ("last_success", [0, 3, 1, 2]),
    ],
)
def test_largest_and_newest_come_first_texts_from_a_and_what_is_missing_last(
    frame: pd.DataFrame, sort: str | None, order: list[int]
) -> None:
    assert make_view(frame, sort).frame["tasks"].tolist() == [[2, 9, 9, 1][n] for n in order]
    assert make_view(frame, sort).frame["task_type"].fillna("").tolist() == [["B", "A", "C", ""][n] for n in order]


def test_equal_rows_stay_in_the_order_of_the_report() -> None:
    made = pd.DataFrame({"n": range(300), "tasks": [n % 3 for n in range(300)]})
    shown = make_view(with_info(made, info()), "tasks").frame
    assert shown["n"].tolist() == [*range(2, 300, 3), *range(1, 300, 3), *range(0, 300, 3)]


@pytest.mark.parametrize(
    ("sort", "said"),
    [
        ("taks", "sort: there is no column 'taks'; did you mean 'tasks'?"),
        ("zzz", "sort: there is no column 'zzz'; there are task_type, tasks, p50_s, last_success"),
        ("tasks:up", "sort: there is no order 'up'; write tasks, tasks:asc or tasks:desc"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_the_near_one(frame: pd.DataFrame, sort: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_view(frame, sort)
    assert str(caught.value) == said


def test_a_cut_is_said_first_among_the_notes(frame: pd.DataFrame) -> None:
    assert make_view(frame, "tasks", 2).info.notes == ["top 2 of 4 rows, by tasks; all: --top 0", "said before"]
    assert make_view(frame, "tasks", 2).frame["task_type"].tolist() == ["A", "C"]


@pytest.mark.parametrize("top", [None, 4, 5])
def test_nothing_is_said_of_a_cut_that_cuts_nothing(frame: pd.DataFrame, top: int | None) -> None:
    assert make_view(frame, top=top).info.notes == ["said before"]
    assert len(make_view(frame, top=top).frame) == 4


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["n1", "n2"], ["node_name", "tasks"]),
        (["n1", None], ["worker_node", "node_name", "tasks"]),
        ([None, None], ["worker_node", "tasks"]),
    ],
)
def test_node_ids_are_shown_where_a_name_is_missing(names: list[str | None], shown: list[str]) -> None:
    made = pd.DataFrame({"worker_node": ["i1", "i2"], "node_name": pd.Series(names, dtype="str"), "tasks": [1, 2]})
    assert [*make_view(with_info(made, info(report="workers", keys=["worker_node"]))).narrow()] == shown
