from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import mltasks
from mltasks.render import terminal
from mltasks.render.cells import one_line
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View
from mltasks.reports import registry
from mltasks.reports.task_list import task_list
from support.views import HOSTILE, failures, obeyed, texts, view

REPORTS = ("failures", "durations", "workers")


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


@pytest.fixture(scope="module")
def reports(demo: pd.DataFrame) -> dict[str, View]:
    found = {name: make_view(getattr(mltasks, name)(demo)) for name in REPORTS}
    return found | {"list": make_view(task_list(demo))}


@pytest.mark.parametrize("name", [*REPORTS, "list"])
def test_every_report_of_the_demo_fits_80_columns(reports: dict[str, View], name: str) -> None:
    lines = terminal.render(reports[name], width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines[:2]).startswith("552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all)")
    assert len(lines) > len(reports[name].frame)


@pytest.mark.parametrize("name", [*REPORTS, "list"])
def test_wide_shows_all_columns_under_their_full_names(reports: dict[str, View], name: str) -> None:
    lines = terminal.render(reports[name], wide=True, width=80).splitlines()
    header = next(line for line in lines if line.startswith(reports[name].frame.columns[0]))
    assert header.split() == list(reports[name].frame.columns)


def test_periods_are_shown_whole_and_without_what_is_known_only_of_now(demo: pd.DataFrame) -> None:
    table = make_view(mltasks.failures(demo, task_type="TRAINING", every="1h", tz="Africa/Cairo"))
    lines = terminal.render(table, width=80).splitlines()
    hours = [line for line in lines if line.startswith("TRAINING")]
    assert hours[1].split()[1:6] == ["AD_LIBSVM", "2026-11-25", "00:00", "8", "0"]
    assert len(hours) == len(table.frame)
    assert {*table.frame} - {*table.narrow()} >= {"last_success", "failing_since", "failures_in_a_row"}
    days = terminal.render(make_view(mltasks.failures(demo, by="task_type", every="1d")), width=80)
    assert "TRAINING         2026-11-24   306 " in days


def test_task_ids_of_the_demo_stay_in_one_piece(reports: dict[str, View]) -> None:
    shown = terminal.render(reports["list"], width=80)
    assert all(f"\n{task_id} " in shown for task_id in reports["list"].frame["task_id"])


def test_the_bold_columns_of_the_design_are_those_of_a_terminal(reports: dict[str, View]) -> None:
    keys = ["task_type", "function_name"]
    durations = [name for name in registry.REPORTS["durations"].narrow if name != "wait_share"]  # which no row has
    assert [*reports["durations"].narrow()] == [*keys, *durations]
    rates = ["failure_rate", "failure_rate_low", "failure_rate_high"]
    assert [*reports["failures"].narrow()] == [
        *keys,
        "tasks",
        "failed",
        "open",
        *rates,
        "last_success",
        "failing_since",
    ]
    assert [*reports["workers"].narrow()] == [
        *("node_name", "tasks", "failed", "failure_rate", "task_s", "peak_in_flight")
    ]


@settings(deadline=None, max_examples=30)
@given(st.lists(texts(60), min_size=1, max_size=4), st.sampled_from([78, 80, 120]))
def test_whatever_names_hold_a_report_fits_the_terminal_and_is_inert(names: list[str], width: int) -> None:
    shown = terminal.render(
        view(failures(names), ["task_type"], report="failures", notes=names, sources=names), width=width
    )
    assert all(cell_len(line) <= width for line in shown.split("\n"))
    assert obeyed(shown) == {"\n"}
    seen = shown.replace(" ", "").replace("\n", "")
    assert one_line(", ".join(names)).replace(" ", "") in seen


@settings(deadline=None, max_examples=30)
@given(texts(200), st.integers(8, 80))
def test_a_name_that_is_too_long_goes_on_in_the_next_line_and_loses_nothing(name: str, width: int) -> None:
    frame = pd.DataFrame({"name": pd.Series([name], dtype="str")})
    column = terminal.render(view(frame, ["name"]), width=width).split("\nname\n")[-1]
    assert column.replace("\n", "").replace(" ", "") == one_line(name).replace(" ", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_whole_in_a_wide_table(name: str) -> None:
    shown = terminal.render(view(failures([name]), ["task_type"], report="failures"), wide=True)
    row = shown.split("\n")[-2]
    assert row.startswith(one_line(name).rstrip())


def test_numbers_are_never_cut_however_narrow_the_terminal() -> None:
    shown = terminal.render(view(pd.DataFrame({"tasks": [123456789], "failed": [987654321]})), width=10)
    assert "123,456,789 987,654,321" in shown


def test_a_missing_key_is_a_row_called_missing_and_a_missing_number_a_dash() -> None:
    frame = pd.DataFrame({"function_name": pd.Series([None], dtype="str"), "tasks": [3], "p50_s": [np.nan]})
    assert terminal.render(view(frame, ["function_name"])).splitlines()[-1].split() == ["(missing)", "3", "–"]


def test_what_was_asked_for_by_name_is_shown_and_nothing_else() -> None:
    shown = View(failures(["A"])[["partial", "open"]], view(failures(["A"]), report="failures").info, chosen=True)
    assert terminal.render(shown).splitlines()[-2].split() == ["partial", "open"]


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2025-11-24 00:00", "2025-11-24 23:00", "22:30:15"),
        ("2025-01-01", "2025-11-24 23:00", "11-24 22:30"),
        ("2024-12-31", "2025-11-24 23:00", "2025-11-24 22:30"),
    ],
)
def test_a_time_leaves_out_what_the_heading_says_of_all(first: str, last: str, shown: str) -> None:
    frame = pd.DataFrame({"create_time": [pd.Timestamp("2025-11-24 22:30:15", tz="UTC")], "tasks": [1]})
    first_ms, last_ms = (int(pd.Timestamp(at, tz="UTC").timestamp() * 1000) for at in (first, last))
    made = view(frame, first_ms=first_ms, last_ms=last_ms)
    assert terminal.render(made).splitlines()[-1].split(" 1")[0].strip() == shown
    assert "2025-11-24 22:30:15" in terminal.render(made, wide=True)


def test_the_zone_of_periods_is_said_where_it_is_not_utc() -> None:
    frame = pd.DataFrame({"period": [pd.Timestamp("2025-11-24", tz="Europe/Berlin")], "tasks": [3]})
    assert "periods in Europe/Berlin" in terminal.render(view(frame, ["period"], tz="Europe/Berlin"), width=200)
    assert "periods" not in terminal.render(view(frame.assign(period=frame["period"].dt.tz_convert("UTC")), ["period"]))


def test_an_empty_report_is_a_sentence() -> None:
    empty = view(failures([]), ["task_type"], report="failures", tasks=0, first_ms=None, last_ms=None, as_of_ms=None)
    assert terminal.render(empty) == "0 tasks of somewhere: there is nothing to report (all)\n"


def test_colours_are_for_terminals_only() -> None:
    shown = view(failures(["A"]), ["task_type"], report="failures")
    assert "\x1b[1m" in terminal.render(shown, colour=True)
    assert "\x1b" not in terminal.render(shown)


def test_highlights_show_the_command_of_each_below_it_where_there_is_no_room_beside(demo: pd.DataFrame) -> None:
    view = make_view(mltasks.highlights(demo))
    lines = terminal.render(view, width=80).splitlines()
    (place,) = [
        n for n, line in enumerate(lines) if line.startswith("  mltasks failures demo") and "TEXT" in lines[n + 1]
    ]
    assert lines[place:][:2] == [
        "  mltasks failures demo --task-type DEPLOY_MODEL --function-name \\",
        "    TEXT_EMBEDDING",
    ]
    assert "--function-name \\" not in terminal.render(view, wide=True, width=80)
