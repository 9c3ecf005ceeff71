from __future__ import annotations

import pandas as pd
import pytest

import mltasks
from mltasks.reports.failing import count_expected_failures, is_failing


@pytest.mark.parametrize(
    ("completed", "failed", "in_a_row", "expected"),
    [
        (0, 2, 2, True),  # never succeeded
        (0, 1, 1, False),
        (1, 999, 0, False),
        (99, 1, 1, True),  # (0.5 / 100) ** 1
        (10, 1, 1, False),  # 0.5 / 11
        (10, 2, 2, True),
        (60, 41, 1, False),  # fails 40 % of the time, and failed last
        (60, 45, 5, False),  # 0.4 ** 5 = 0.0102
        (60, 46, 6, True),
        (5, 0, 0, False),
        (0, 0, 0, False),
        (0, 0, None, False),
    ],
)
def test_a_group_is_failing_if_its_run_of_failures_is_improbable(
    completed: int, failed: int, in_a_row: int | None, expected: bool
) -> None:
    assert is_failing([completed], [failed], [in_a_row]).tolist() == [expected]


def test_a_node_with_harder_work_is_not_blamed() -> None:
    rows = [("n1", "easy", 1, 100), ("n2", "easy", 1, 10), ("n2", "hard", 50, 100), ("n1", "hard", 5, 10)]
    table = count_expected_failures(
        pd.DataFrame(rows, columns=["node", "kind", "failed", "finished"]), "node", ["kind"]
    )
    assert table["failed"].tolist() == [6, 51]
    assert table["expected_failed"].tolist() == pytest.approx([100 * 2 / 110 + 5, 10 * 2 / 110 + 50])
    assert table["z"].tolist() == pytest.approx([-0.818 / 4.285**0.5, 0.818 / 25.179**0.5], abs=0.001)


def test_the_expected_failures_of_real_nodes() -> None:
    counts = mltasks.failures(mltasks.load("demo"), by="worker_node,task_type,function_name")
    remote = (counts["task_type"] == "REGISTER_MODEL") & (counts["function_name"] == "REMOTE")
    counts = counts[~remote & counts["worker_node"].notna()]
    counts = counts.assign(finished=counts["completed"] + counts["failed"])
    table = count_expected_failures(counts, "worker_node", ["task_type", "function_name"])
    assert sorted(table["failed"]) == [71, 76, 86]
    order = table.sort_values("failed")
    assert order["expected_failed"].tolist() == pytest.approx([71.9, 79.6, 81.5], abs=0.05)
    assert order["z"].tolist() == pytest.approx([-0.19, -0.71, 0.90], abs=0.01)
