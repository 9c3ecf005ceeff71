from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports.periods import Periods, piecewise
from mltasks.tasks import times as windows
from support import oracle
from support.generated import made

ZONES = (
    *("UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Asuncion", "America/Havana", "Asia/Tehran", "Asia/Beirut"),
    *("Africa/Cairo", "Australia/Lord_Howe", "Pacific/Chatham", "Antarctica/Troll", "Pacific/Apia"),
)
CHANGES = [  # the last ms before the clocks change and the first after it, UTC; days begin or end here
    ("America/Sao_Paulo", "2019-02-17 02:00"),  # midnight becomes 23:00
    ("America/Asuncion", "2020-03-22 03:00"),  # midnight becomes 23:00
    ("America/Asuncion", "2020-10-04 04:00"),  # midnight becomes 01:00
    ("Asia/Tehran", "2021-09-21 19:30"),  # midnight becomes 23:00, at half past in UTC
    ("Asia/Tehran", "2022-03-21 20:30"),  # midnight becomes 01:00
    ("America/Havana", "2024-11-03 05:00"),  # 01:00 becomes midnight, which comes twice
    ("Europe/Berlin", "2025-03-30 01:00"),
    ("Europe/Berlin", "2025-10-26 01:00"),
    ("Australia/Lord_Howe", "2025-04-05 15:00"),
    ("Africa/Cairo", "2024-10-31 21:00"),
    ("Africa/Cairo", "2024-04-25 22:00"),
]
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def starts(every: str, tz: str, times: list[int]) -> list[int]:
    """Return the start of each time's period, found by an engine."""
    periods = Periods(windows.parse_period(every), tz)
    frame = nw.from_native(pd.DataFrame({"time": times}))
    found = frame.with_columns(number=periods.number(nw.col("time"), min(times), max(times))).to_native()["number"]
    assert [periods.number_at(time) for time in times] == found.tolist()
    there: list[int] = periods.starts(found).as_unit("ms").astype("int64").tolist()
    return there


@pytest.mark.parametrize(("tz", "change"), CHANGES)
@pytest.mark.parametrize("every", ["1d", "1w", "1mo"])
def test_a_day_is_what_the_zone_calls_one_where_the_clocks_change(tz: str, change: str, every: str) -> None:
    steps = (0, 1, MINUTE, 29 * MINUTE, 30 * MINUTE, HOUR - 1, HOUR, 2 * HOUR, DAY)
    times = [ms(change) + sign * step for step in steps for sign in (-1, 1)]
    assert starts(every, tz, times) == [oracle.period(time, every, tz) for time in times]


@given(
    st.lists(st.integers(ms("2019-01-01"), ms("2027-01-01")), min_size=1, max_size=20),
    st.sampled_from(("7min", "6h", "1d", "1w", "1mo")),
    st.sampled_from(ZONES),
)
@settings(max_examples=40, deadline=None)
def test_periods_are_those_of_the_standard_librarys_calendar(times: list[int], every: str, tz: str) -> None:
    found = starts(every, tz, times)
    assert found == [oracle.period(time, every, tz) for time in times]
    assert all(start <= time for start, time in zip(found, times, strict=True))


@given(st.integers(ms("2019-01-01"), ms("2027-01-01")), st.sampled_from(ZONES))
@settings(max_examples=60, deadline=None)
def test_a_day_is_also_the_one_that_pandas_floors_to(time: int, tz: str) -> None:
    local = pd.Timestamp(time, unit="ms", tz="UTC").tz_convert(tz)
    midnight = local.tz_localize(None).floor("D").tz_localize(tz, nonexistent="shift_forward", ambiguous=True)
    assert starts("1d", tz, [time]) == [midnight.value // 1_000_000]


def test_days_of_a_year_are_365_and_differ_in_length() -> None:
    hours = [ms("2025-01-01") - HOUR + n * HOUR for n in range(365 * 24)]
    days = pd.Series(starts("1d", "Europe/Berlin", hours))
    assert sorted(days.value_counts().unique()) == [23, 24, 25]
    assert days.nunique() == 365


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    times = [ms("2025-01-01") + n * 7 * HOUR for n in range(200)]
    for every, attribute in (("1w", "day_of_week"), ("1mo", "day")):
        found = pd.to_datetime(starts(every, "America/Sao_Paulo", times), unit="ms", utc=True)
        assert set(getattr(found.tz_convert("America/Sao_Paulo"), attribute)) == {0 if every == "1w" else 1}


def test_minutes_and_hours_are_counted_in_utc_and_shown_in_the_zone() -> None:
    created = ms("2025-10-26 00:30"), ms("2025-10-26 01:30")  # both half past two in Berlin
    tasks = made(*({"create_time": time} for time in created))
    for source in (tasks.pandas(), tasks.dataset()):
        found = mltasks.failures(source, by=[], every="1h", tz="Europe/Berlin", as_of="2025-10-27")["period"]
        assert [time.isoformat() for time in found] == ["2025-10-26T02:00:00+02:00", "2025-10-26T02:00:00+01:00"]
        assert found.dtype == pd.DatetimeTZDtype("ms", ZoneInfo("Europe/Berlin"))


def test_both_engines_give_the_same_periods_where_midnight_is_skipped() -> None:
    tasks = made(*({"create_time": ms("2020-10-04 04:00") + n * MINUTE} for n in (-1, 0, 1)))
    expected = ["2020-10-03T00:00:00-04:00", "2020-10-04T01:00:00-03:00"]
    for report in (mltasks.durations, mltasks.failures, mltasks.workers):
        for source in (tasks.pandas(), tasks.dataset()):
            found = report(source, by=[], every="1d", tz="America/Asuncion", as_of="2020-10-04 05:00")
            assert [time.isoformat() for time in found["period"]] == expected
            assert found["tasks"].tolist() == [1, 2]


@pytest.mark.parametrize("report", [mltasks.durations, mltasks.failures, mltasks.workers])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        *(
            ({"every": every}, "every: cannot read")
            for every in ("2d", "2w", "3mo", "0min", "1y", "day", "", "15m", "-1h")
        ),
        *(({"every": "1d", "tz": tz}, "tz: there is no time zone") for tz in ("Mars/Olympus", "", "Europe", "../UTC")),
        ({"tz": "Mars/Olympus"}, "tz: there is no time zone"),
    ],
)
def test_a_period_or_a_zone_that_cannot_be_is_refused(report: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        report(made({}).pandas(), **options)


def test_a_step_holds_until_the_next() -> None:
    frame = nw.from_native(pd.DataFrame({"x": [-5, 0, 9, 10, 11, 399, 400, 10_000]}))
    steps = [(10 * n, n) for n in range(41)]
    assert frame.select(y=piecewise(nw.col("x"), steps)).to_native()["y"].tolist() == [0, 0, 0, 1, 1, 39, 40, 40]


@pytest.mark.parametrize("tz", ["UTC", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize("every", ["5min", "6h", "1d", "1w"])
def test_periods_of_one_length_begin_at_equal_steps(every: str, tz: str) -> None:
    whole = Periods(windows.parse_period(every), tz)
    low, high = 1_780_000_000_123, 1_784_000_000_456  # May to July: no clock changes
    steps = whole.equal_steps(low, high)
    assert steps is not None
    numbers = range(whole.number_at(low) + 1, whole.number_at(high) + 1)
    assert [n * steps[0] + steps[1] for n in numbers] == whole.starts(numbers).as_unit("ms").astype("int64").tolist()


@pytest.mark.parametrize(("every", "tz"), [("1d", "Europe/Berlin"), ("1w", "Europe/Berlin"), ("1mo", "UTC")])
def test_periods_of_several_lengths_have_no_steps(every: str, tz: str) -> None:
    in_winter, in_summer = 1_770_000_000_000, 1_780_000_000_000
    assert Periods(windows.parse_period(every), tz).equal_steps(in_winter, in_summer) is None
