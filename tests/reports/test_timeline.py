from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

import mltasks
from mltasks.exceptions import UsageError
from mltasks.render import time_bars
from mltasks.render.page import report as make_page
from mltasks.render.plot import figure
from mltasks.render.sort_and_top import make_view
from mltasks.reports import periods, report_info
from mltasks.reports.report_info import Mark
from mltasks.tasks.metadata import ClusterInfo, Node
from support import generated, slow_reports
from support.generated import AS_OF, DAY, HOUR, MINUTE, Made, life, made

BERLIN = 1_774_735_200_000  # 2026-03-28 22:00 UTC; the clocks of Berlin go forward in the night after it


def both(tasks: Made, **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    expected = mltasks.timeline(tasks.pandas(), **options)
    found = mltasks.timeline(tasks.dataset(), **options)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    assert found.attrs == expected.attrs
    return expected


def told(as_of_ms: int = AS_OF, **starts: int) -> ClusterInfo:
    nodes = {f"n-{name[-1]}": Node(name, started_ms=ms) for name, ms in starts.items()}
    return ClusterInfo(cluster="east", as_of_ms=as_of_ms, timeout_assumed=False, nodes=nodes)


@pytest.mark.parametrize("source", [mltasks.load, mltasks.scan])
def test_the_real_tasks_by_five_minutes(source: Any) -> None:
    table = mltasks.timeline(source("demo"), every="5min")
    assert table["created"].tolist() == [42, 252, 154, 81, 23]
    assert (table["completed"] + table["failed"]).tolist() == [39, 237, 148, 72, 23]
    assert table["open"].sum() == 33
    assert table["peak_in_flight"].max() == mltasks.workers(source("demo"), by=[])["peak_in_flight"].item()
    assert report_info.read_info(table).notes[-1] == "the last period is not over"


@given(generated.tasks(), generated.options(periods=("90min", "7h", "1d", "1w"), window="in_flight"))
@settings(max_examples=4, deadline=None)
def test_each_row_is_what_a_loop_over_the_tasks_finds(tasks: Made, options: dict[str, Any]) -> None:
    options = {"every": "7h", "tz": "UTC"} | {name: value for name, value in options.items() if name != "error"}
    expected = slow_reports.timeline(tasks, options)
    assert slow_reports.differences(both(tasks, **options), expected, [*options["by"], "period"]) == []


def test_a_period_without_a_task_is_a_row_of_zeros() -> None:
    table = both(made(life(5 * HOUR, 5 * HOUR - 1), life(HOUR, 0), readings=(told(),)), every="1h")
    assert table["created"].tolist() == [1, 0, 0, 0, 1]
    assert table["mean_in_flight"].tolist() == [1 / 3_600_000, 0, 0, 0, 1]
    assert table["peak_in_flight"].tolist() == [1, 0, 0, 0, 1]


def test_a_task_is_created_in_one_period_and_ends_in_another() -> None:
    tasks = made(
        life(3 * HOUR, HOUR - 1),
        life(3 * HOUR, 2 * HOUR, state="CANCELLED"),
        life(2 * HOUR, HOUR, state="FAILED"),
        life(2 * HOUR, 2 * HOUR, state="RUNNING", task_type="AGENT_EXECUTION"),
        readings=(told(),),
    )
    table = both(tasks, every="1h")
    assert table[["created", "completed", "failed", "cancelled", "open"]].values.tolist() == [
        [2, 0, 0, 1, 0],
        [2, 0, 1, 0, 1],
        [0, 1, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    ("every", "labels"),
    [
        ("1d", ["2026-03-28 00:00+0100", "2026-03-29 00:00+0100", "2026-03-30 00:00+0200"]),
        ("12h", ["2026-03-28 13:00+0100", "2026-03-29 01:00+0100", "2026-03-29 14:00+0200", "2026-03-30 02:00+0200"]),
    ],
)
def test_days_are_those_of_the_calendar_when_the_clocks_change(every: str, labels: list[str]) -> None:
    ends = BERLIN + 28 * HOUR  # a day of 23 hours lies between
    tasks = made({"create_time": BERLIN, "last_update_time": ends}, readings=(told(ends),))
    table = both(tasks, every=every, tz="Europe/Berlin")
    assert [f"{start:%Y-%m-%d %H:%M%z}" for start in table["period"]] == labels
    assert table["mean_in_flight"].iloc[1] == 1
    assert table["created"].tolist() == [1] + [0] * (len(labels) - 1)


def test_a_registration_of_a_remote_model_is_created_and_no_load() -> None:
    registration = {"task_type": "REGISTER_MODEL", "function_name": "REMOTE"}
    tasks = made(life(HOUR, 0, **registration), life(HOUR, 0), readings=(told(),))
    (row,) = both(tasks, every="1h").to_dict("records")
    assert (row["created"], row["completed"], row["mean_in_flight"]) == (2, 2, 1.0)
    by_node = both(tasks, every="1h", by="worker_node")
    assert by_node["created"].tolist() == [1]


@pytest.mark.parametrize(
    ("hours", "name"),
    [(0.1, "1min"), (2, "1min"), (2.1, "2min"), (24, "15min"), (14 * 24, "3h"), (90 * 24, "1d"), (3 * 8760, "1mo")],
)
def test_periods_are_so_long_that_there_are_120_at_most(hours: float, name: str) -> None:
    low = AS_OF - round(hours * HOUR)
    chosen = periods.choose_periods(low, AS_OF, "UTC")
    assert chosen.name == name
    assert chosen.number_at(AS_OF - 1) - chosen.number_at(low) < 120


def test_the_length_that_was_chosen_is_said_and_one_that_was_given_is_not() -> None:
    tasks = made(life(14 * DAY, 0), readings=(told(),))
    said = "a period is 3h, by the time that the tasks cover; --every 1h (every) makes it another"
    assert said in report_info.read_info(both(tasks)).notes
    assert said not in report_info.read_info(both(tasks, every="3h")).notes
    with pytest.raises(UsageError, match=r"every: [0-9]+ periods in the window are more than 400"):
        both(tasks, every="1min")


def test_starts_of_nodes_are_marks_and_notes() -> None:
    info = told(alpha1=AS_OF - 2 * HOUR, beta2=AS_OF - 5 * HOUR, gamma3=AS_OF + 1)
    table = both(made(life(3 * HOUR, 0), readings=(info,)), every="1h")
    said = report_info.read_info(table)
    assert said.marks == [Mark(AS_OF - 2 * HOUR, "alpha1 started")]
    assert "alpha1 started 2025-03-07T00:00:00.000Z" in said.notes
    assert "alpha1 started" in figure.svg(make_view(table))


def test_the_page_draws_a_bar_a_period_and_a_line_a_start() -> None:
    info = told(alpha1=AS_OF - 90 * MINUTE)
    tasks = made(life(3 * HOUR, 150 * MINUTE), life(HOUR, HOUR, state="RUNNING"), readings=(info,))
    table = mltasks.timeline(tasks.pandas(), every="1h")
    chart = time_bars.place_periods(table, [Mark(AS_OF - 90 * MINUTE, "x started")])
    assert chart is not None
    many = time_bars.place_periods(table.assign(completed=12_345))
    assert many is not None
    assert (many["ticks"][-1]["label"], many["scale"], chart["scale"]) == ("15,000", 50, 36)  # px, for all its digits
    assert [bar["title"] for bar in chart["bars"]] == [
        "2025-03-06 23:00: 1 completed, 0 failed, 0 open",
        "2025-03-07 01:00: 0 completed, 0 failed, 1 open",
    ]
    assert [[part["kind"] for part in bar["parts"]] for bar in chart["bars"]] == [["completed"], ["open"]]
    assert chart["marks"] == [{"x": 50.0, "title": "x started 2025-03-07 00:30:00 UTC"}]
    page = make_page(tasks.pandas()).html()
    assert page.count('<svg class="plot"') == 1
    assert page.count('<line class="mark"') == 1
    assert "alpha1 started 2025-03-07 00:30:00 UTC" in page


def test_groups_have_a_row_in_each_period() -> None:
    tasks = made(life(2 * HOUR, HOUR), life(HOUR, 0, function_name="AGENT"), readings=(told(),))
    table = both(tasks, every="1h", by=["function_name"])
    assert table[["function_name", "created"]].values.tolist() == [
        ["AGENT", 0],
        ["AGENT", 1],
        ["KMEANS", 1],
        ["KMEANS", 0],
    ]


def test_no_task_has_no_period_and_all_columns() -> None:
    some = both(made(life(HOUR, 0)), every="1h")
    none = both(made(), every="1h")
    assert len(none) == 0
    assert none.dtypes.equals(some.dtypes)
    assert len(both(made())) == 0


def test_a_task_created_when_the_window_ends_is_in_no_period_and_a_note_says_so() -> None:
    table = both(made(life(HOUR, 0), life(0, 0, state="RUNNING"), readings=(told(),)), every="1h")
    assert table["created"].sum() == 1
    assert [note for note in report_info.read_info(table).notes if note.startswith("1 task created at ")]
