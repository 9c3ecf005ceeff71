from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.render import cells
from mltasks.reports.column_kinds import find_column
from mltasks.reports.declaration import ReportColumn
from support.views import obeyed, texts

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
AS_OF = 1764028800000  # 2025-11-25 00:00


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0ms"),
        (0.0004, "<1ms"),
        (0.0005, "<1ms"),
        (0.001, "1ms"),
        (0.0624, "62ms"),
        (0.9994, "999ms"),
        (0.9996, "1.0s"),
        (13.5, "13.5s"),
        (59.94, "59.9s"),
        (59.97, "1m00s"),
        (60, "1m00s"),
        (135, "2m15s"),
        (3599.4, "59m59s"),
        (3599.6, "1h00m"),
        (11100, "3h05m"),
        (86369, "23h59m"),
        (86399, "1d00h"),
        (187200, "2d04h"),
        (31536000, "365d00h"),
        (-13.5, "-13.5s"),
        (math.inf, "inf"),
    ],
)
def test_durations_read_as_people_say_them_and_carry_when_rounded(seconds: float, shown: str) -> None:
    assert cells.duration(seconds) == shown


@given(st.floats(min_value=0.0006, max_value=1e9))
def test_a_duration_read_back_is_within_the_rounding_of_its_smallest_unit(seconds: float) -> None:
    parts = re.findall(r"([0-9.]+)(ms|[smhd])", cells.duration(seconds))
    read = sum(float(number) * UNITS[unit] for number, unit in parts)
    smallest = parts[-1][1]
    step = 0.1 if len(parts) == 1 and smallest == "s" else UNITS[smallest]
    assert abs(read - seconds) <= step / 2 + (0.5 if smallest in "hd" else 0) + 1e-6
    for number, unit in parts[1:]:
        assert float(number) < {"h": 24, "m": 60, "s": 60}[unit]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0%"), (1.0, "100%"), (1e-9, "<0.1%"), (0.001, "0.1%"), (0.31034, "31.0%"), (0.9996, ">99.9%")],
)
def test_shares_are_per_cent(value: float, shown: str) -> None:
    assert cells.percent(value) == shown


@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True, allow_subnormal=True))
def test_a_share_that_is_neither_none_nor_all_is_never_shown_as_that(value: float) -> None:
    shown = cells.percent(value)
    assert shown not in ("0%", "100%", "0.0%", "100.0%")
    if shown[0] not in "<>":
        assert abs(float(shown.rstrip("%")) / 100 - value) <= 0.0005 + 1e-12


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("tasks", 1234567, "1,234,567"),
        ("seq_no", 1234567, "1234567"),
        ("tasks", 0, "0"),
        ("p50_s", 13.5, "13.5s"),
        ("failure_rate_low", 0.5, "50.0%"),
        ("task_share", 1.0, "100%"),
        ("mean_in_flight", 2.0, "2.00"),
        ("is_async", True, "true"),
        ("progress", math.inf, "inf"),
        ("p50_s", math.nan, "–"),
        ("tasks", pd.NA, "–"),
        ("last_success", pd.NaT, "–"),
        ("error", None, "–"),
        ("error", "a\nb\tc", "a\\nb\\tc"),
        ("last_success", pd.Timestamp("2025-11-24 23:57:23", tz="UTC"), "2m37s ago"),
        ("last_success", pd.Timestamp("2025-11-25 00:00:01", tz="UTC"), "now"),
        ("create_time", pd.Timestamp("2025-11-24 23:57:23", tz="UTC"), "2025-11-24 23:57:23"),
        ("period", pd.Timestamp("2025-11-24", tz="Europe/Berlin"), "2025-11-24"),
        ("period", pd.Timestamp("2025-11-24 06:00", tz="UTC"), "2025-11-24 06:00"),
    ],
)
def test_a_cell_is_shown_by_the_kind_and_unit_of_its_column(name: str, value: Any, shown: str) -> None:
    assert cells.cell(find_column("any", name), value, AS_OF) == shown


@pytest.mark.parametrize(
    ("kind", "unit", "value", "shown"),
    [
        ("duration", "ms", 55.0, "55ms"),
        ("duration", "s", 55, "55.0s"),
        ("count", "tasks", 4321, "4,321"),
        ("ordinal", "", 4321, "4321"),
        ("number", "tasks", 4321, "4,321.00"),
        ("share", "", 0.25, "25.0%"),
        ("ago", "UTC", pd.Timestamp("2025-11-24 23:57:23", tz="UTC"), "2m37s ago"),
        ("time", "UTC", pd.Timestamp("2025-11-24 23:57:23", tz="UTC"), "2025-11-24 23:57:23"),
        ("id", "", "a\tb", "a\\tb"),
    ],
)
def test_the_same_value_is_written_by_what_the_column_declares(kind: Any, unit: str, value: Any, shown: str) -> None:
    assert cells.cell(ReportColumn("a_s", kind, unit, ""), value, AS_OF) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, "(missing)"), (math.nan, "(missing)"), ("KMEANS", "KMEANS")])
def test_a_missing_key_is_a_group_with_a_name(value: Any, shown: str) -> None:
    assert cells.key(find_column("any", "function_name"), value, AS_OF) == shown


def test_a_key_that_is_a_time_is_shown_as_that_time_with_or_without_a_zone() -> None:
    assert cells.key(None, pd.Timestamp("2025-11-24 22:00"), AS_OF) == "2025-11-24 22:00:00"


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (datetime(2025, 11, 24, 22, 0, 0, 5000, UTC), "2025-11-24T22:00:00.005Z"),
        (pd.Timestamp("2025-11-24 23:00", tz="Europe/Berlin"), "2025-11-24T22:00:00.000Z"),
        (pd.Timestamp("2025-11-24 22:00"), "2025-11-24T22:00:00.000Z"),
    ],
)
def test_times_for_machines_are_iso_8601_in_utc(time: datetime, shown: str) -> None:
    assert cells.iso(time) == shown


@given(texts() | st.text())
def test_one_line_holds_nothing_that_a_terminal_obeys_or_that_turns_letters_around(given_text: str) -> None:
    shown = cells.one_line(given_text)
    assert obeyed(shown) == set()
    shown.encode()
    assert len(shown.splitlines()) <= 1


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_stays_as_it_is(given_text: str) -> None:
    assert cells.one_line(given_text) == given_text


def test_what_was_written_out_says_what_it_was() -> None:
    assert cells.one_line("\x1b[31m\x07\x9b\u202e") == r"\x1b[31m\x07\x9b\u202e"
