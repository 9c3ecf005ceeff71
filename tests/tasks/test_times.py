from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.exceptions import UsageError
from mltasks.tasks import times
from mltasks.tasks.times import Every

AS_OF = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
MIDNIGHT = 1_699_920_000_000  # 2023-11-14 00:00 UTC


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2023-11-14", MIDNIGHT),
        (" 2023-11-14 22:13:20 ", AS_OF),
        ("2023-11-14T22:13:20Z", AS_OF),
        ("2023-11-14T23:13:20+01:00", AS_OF),
        ("2023-11-14T22:13:20.250", AS_OF + 250),
        (date(2023, 11, 14), MIDNIGHT),
        (datetime(2023, 11, 14, 22, 13, 20), AS_OF),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), AS_OF),
        (datetime(2023, 11, 15, 0, 13, 20, tzinfo=timezone(timedelta(hours=2))), AS_OF),
        (pd.Timestamp("2023-11-14T23:13:20", tz="Europe/Berlin"), AS_OF),
        (AS_OF, AS_OF),
        (0, 0),
        (None, None),
    ],
)
def test_an_absolute_time_without_an_offset_is_utc(written: Any, ms: int | None) -> None:
    assert times.parse_time(written, None, "since") == ms


@pytest.mark.parametrize(
    ("written", "back"),
    [("0d", 0), ("30m", 1800), ("24h", 86_400), (" 7d ", 604_800), ("2w", 1_209_600), ("2 d", 172_800)],
)
def test_a_span_counts_back_from_the_time_of_the_data(written: str, back: int) -> None:
    assert times.parse_time(written, AS_OF, "since") == AS_OF - back * 1000


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_time_as_text_is_the_time_itself(moment: datetime) -> None:
    try:
        expected = times.parse_time(moment, None, "since")
    except UsageError:  # the first and last hours of the calendar, in another zone
        assert moment.year in (1, 9999)
    else:
        assert times.parse_time(moment.isoformat(), None, "since") == expected


@pytest.mark.parametrize(
    "written", ["yesterdayish", "", "7", "7y", "-7d", "1.5h", "2023-13-01", "2023-11-14T25:00", "22:00"]
)
def test_a_time_that_cannot_be_read_is_a_usage_error_that_shows_how_to_write_one(written: str) -> None:
    with pytest.raises(UsageError, match="cannot read") as caught:
        times.parse_time(written, AS_OF, "until")
    assert str(caught.value).startswith(f"until: cannot read {written!r}")
    assert "2026-11-24" in str(caught.value)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    ("written", "since", "until"),
    [
        ("today", "2023-11-14", "2023-11-15"),
        ("Yesterday", "2023-11-13", "2023-11-14"),
        ("tuesday", "2023-11-14", "2023-11-14"),
        ("monday", "2023-11-13", "2023-11-13"),
        ("wednesday", "2023-11-08", "2023-11-08"),
        ("this-week", "2023-11-13", "2023-11-20"),
        ("last week", "2023-11-06", "2023-11-13"),
        ("this_month", "2023-11-01", "2023-12-01"),
        ("last-month", "2023-10-01", "2023-11-01"),
        ("2023-12", "2023-12-01", "2024-01-01"),
    ],
)
def test_a_word_of_the_calendar_stands_for_its_beginning_and_until_for_its_end(
    written: str, since: str, until: str, name: str
) -> None:
    expected = times.parse_time(since if name == "since" else until, None, name)
    assert times.parse_time(written, AS_OF, name) == expected


def test_days_are_those_of_the_calendar_in_tz() -> None:
    berlin = times.parse_time("today", AS_OF, "since", "Europe/Berlin")
    assert berlin == MIDNIGHT - 3_600_000
    assert times.parse_time("today", AS_OF, "since", "Asia/Tokyo") == MIDNIGHT + 15 * 3_600_000
    assert times.parse_time("2023-07", None, "since", "Europe/Berlin") == times.parse_time(
        "2023-07-01T00:00+02:00", None, "since"
    )


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64("2023-11-14T22:13:20"),
        np.datetime64("2023-11-14T22:13:20", "ns"),
        np.int64(AS_OF),
        pd.Timestamp("2023-11-14T22:13:20"),
        pd.Timestamp("2023-11-14T23:13:20+01:00").as_unit("ns"),
    ],
)
def test_times_of_numpy_and_pandas_are_taken(value: Any) -> None:
    assert times.parse_time(value, None, "since") == AS_OF


@pytest.mark.parametrize(
    "value", [timedelta(days=7), pd.Timedelta(days=7), np.timedelta64(7, "D"), "7days", "1w", "168 Hours"]
)
def test_a_span_may_be_a_timedelta(value: Any) -> None:
    assert times.parse_time(value, AS_OF, "since") == AS_OF - 7 * 86_400_000
    assert times.is_relative(value)


@pytest.mark.parametrize("value", [True, 1.5, [], np.datetime64("NaT"), np.timedelta64("NaT"), pd.NaT])
def test_what_is_not_a_time_is_a_usage_error(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^until: .* is not a time; give "):
        times.parse_time(value, AS_OF, "until")


def test_a_misspelt_word_is_answered_with_the_near_one() -> None:
    with pytest.raises(UsageError, match="since: cannot read 'yesteday' as a time; did you mean 'yesterday'"):
        times.parse_time("yesteday", AS_OF, "since")


def test_a_span_needs_to_know_the_time_of_the_data() -> None:
    with pytest.raises(UsageError, match=r"since '7d' is relative to .* not known: give a date"):
        times.parse_time("7d", None, "since")


@pytest.mark.parametrize("written", ["999999999w", 10**20, -(10**20), "0001-01-01T00:00+01:00"])
def test_a_time_that_no_calendar_has_is_a_usage_error(written: Any) -> None:
    with pytest.raises(UsageError, match=r"since: .* outside the years 1 to 9999"):
        times.parse_time(written, AS_OF, "since")


def test_the_missing_time_of_pandas_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="since: NaT is not a time"):
        times.parse_time(pd.Series([], dtype="datetime64[ms, UTC]").max(), AS_OF, "since")


@pytest.mark.parametrize(
    ("written", "period", "calendar"),
    [
        ("15min", Every(15, "min"), False),
        ("6h", Every(6, "h"), False),
        ("1d", Every(1, "d"), True),
        (" 1w ", Every(1, "w"), True),
        ("1mo", Every(1, "mo"), True),
    ],
)
def test_a_period_is_fixed_in_utc_or_goes_by_the_calendar(written: str, period: Every, calendar: bool) -> None:
    assert times.parse_period(written) == period
    assert times.parse_period(written).calendar is calendar


@pytest.mark.parametrize("written", ["", "1", "d", "0h", "2d", "3w", "2mo", "15m", "1.5h", "-1h", "1y", "1h30min"])
def test_any_other_period_is_a_usage_error(written: str) -> None:
    with pytest.raises(UsageError, match=r"every: cannot read .*15min, 6h .*1d, 1w or 1mo"):
        times.parse_period(written)


def test_a_zone_goes_by_its_iana_name() -> None:
    assert times.zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["", "Mars/Base", "../UTC", "Europe", "UTC\x00"])
def test_an_unknown_zone_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"tz: there is no time zone .*Europe/Berlin"):
        times.zone(name)
