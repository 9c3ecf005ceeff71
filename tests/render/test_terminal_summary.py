from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

import mltasks
from mltasks.render import highlights, terminal_summary
from mltasks.reports import page_reports
from support.views import HOSTILE, obeyed

COMMON = {"create_time": 1764021600000, "last_update_time": 1764021600500}


def summarised(hits: list[dict[str, Any]], width: int = 80) -> str:
    tasks = mltasks.load(hits)
    return terminal_summary.render(page_reports.count_task_types(tasks), mltasks.report(tasks), width=width)


def test_hostile_names_are_inert_in_the_summary_and_it_fits() -> None:
    hits = [
        {"_id": str(n), "_source": {**COMMON, "task_type": name, "state": "FAILED", "worker_node": [name]}}
        for n, name in enumerate([*HOSTILE, *HOSTILE])
    ]
    shown = summarised(hits)
    assert obeyed(shown) == {"\n"}
    assert max(map(cell_len, shown.split("\n"))) <= 80
    assert r"\x1b[31mred\x1b[0m / (missing): 2 failed and none succeeded" in shown


def test_times_are_those_of_their_task_type() -> None:
    lengths = {"B": 1500, "A": 500, None: 60000}
    begun = COMMON["create_time"]
    hits = [
        {
            "_id": str(n),
            "_source": {
                "task_type": kind,
                "state": "COMPLETED",
                "create_time": begun,
                "last_update_time": begun + length,
            },
        }
        for n, (kind, length) in enumerate(lengths.items())
    ]
    rows = [line.split() for line in summarised(hits).splitlines()]
    assert ["A", "1", "1", "0", "0", "0%", "500ms", "–"] in rows
    assert ["B", "1", "1", "0", "0", "0%", "1.5s", "–"] in rows
    assert ["(missing)", "1", "1", "0", "0", "0%", "1m00s", "–"]  # p95 needs 20 in rows


@pytest.mark.parametrize("width", [80, 200])
def test_a_summary_in_which_nothing_stands_out_says_so(width: int) -> None:
    hits = [{"_id": "a", "_source": {**COMMON, "task_type": "TRAINING", "state": "COMPLETED"}}]
    assert f"\nNeeds attention\n  - {highlights.CALM}\n" in summarised(hits, width)
