from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.render.cells import one_line
from mltasks.render.plot import figure
from mltasks.render.sort_and_top import make_view
from support.views import HOSTILE, failures, view

SVG = "{http://www.w3.org/2000/svg}"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def tasks() -> pd.DataFrame:
    return mltasks.load("demo")


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ["failures", "durations", "workers"])
def test_the_same_table_gives_the_same_svg_and_two_reports_share_no_id(tasks: pd.DataFrame, name: str) -> None:
    drawn = {n: figure.svg(make_view(getattr(mltasks, n)(tasks))) for n in ("failures", "durations", "workers")}
    assert drawn[name] == figure.svg(make_view(getattr(mltasks, name)(tasks)))
    ids = {n: set(re.findall(r' id="([^"]*)"', svg)) for n, svg in drawn.items()}
    assert all(ids[name].isdisjoint(ids[other]) for other in ids if other != name)
    references = re.findall(r'(?:href="#|url\(#)([^")]+)', drawn[name])
    assert references
    assert set(references) <= ids[name]


def test_a_figure_names_its_groups_and_says_what_it_leaves_out(tasks: pd.DataFrame) -> None:
    found = words(figure.svg(make_view(mltasks.failures(tasks))))
    assert {"TRAINING / KMEANS", "18 of 19 rows, 1 without a value", "failure rate (dot) and its 95 % interval"} <= {
        *found
    }
    assert "BATCH_PREDICTION / REMOTE" not in found


def test_a_figure_shows_the_20_greatest_of_what_it_draws_and_says_so() -> None:
    frame = failures([f"g{n:02}" for n in range(30)]).assign(tasks=range(30, 0, -1))
    frame["failure_rate"] = [n / 100 for n in range(30)]
    shown = words(figure.svg(view(frame, ["task_type"], report="failures")))
    assert "20 of 30 rows, the greatest" in shown
    assert [w for w in shown if w.startswith("g")] == [f"g{n}" for n in range(10, 30)]


@pytest.mark.parametrize("every", [None, "15min"])
def test_a_figure_says_what_it_is_and_what_it_covers(tasks: pd.DataFrame, every: str | None) -> None:
    shown = words(figure.svg(make_view(mltasks.failures(tasks, by="task_type", every=every))))
    assert "Failure rates" in shown
    assert (
        "552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all), as of 2026-11-24 22:15 UTC (assumed)"
        in shown
    )


def test_a_line_is_broken_where_there_was_no_task() -> None:
    minutes = pd.to_datetime([f"2025-11-24T21:{minute}Z" for minute in (55, 56, 57, 59)])
    table = failures(["A"] * 4).drop(columns="task_type").assign(period=minutes)
    (line,) = figure.figure(view(table, ["period"], report="failures")).axes[0].lines
    values = pd.Series(np.asarray(line.get_ydata()), index=pd.DatetimeIndex(np.asarray(line.get_xdata())))
    assert [f"{time:%H:%M:%S}" for time in values[values.isna()].index] == ["21:58:30"]


def test_one_period_is_an_axis_of_hours(tasks: pd.DataFrame) -> None:
    table = mltasks.durations(tasks, by=[], every="1d", task_type="DEPLOY_MODEL")
    low, high = figure.figure(make_view(table)).axes[0].get_xlim()
    assert high - low == pytest.approx(2 / 24)  # matplotlib counts days


def test_a_period_that_is_not_over_has_a_hollow_dot(tasks: pd.DataFrame) -> None:
    shown = words(figure.svg(make_view(mltasks.failures(tasks, by=[], every="5min"))))
    assert "period (UTC); a hollow dot is a period that is not over" in shown


@pytest.mark.parametrize(("every", "tz"), [("1d", "UTC"), ("1mo", "Asia/Kolkata"), ("1h", "UTC")])
def test_one_period_alone_that_is_not_over_has_a_hollow_dot(tasks: pd.DataFrame, every: str, tz: str) -> None:
    table = mltasks.durations(tasks, by=[], every=every, tz=tz, task_type="DEPLOY_MODEL", since="2026-11-24T22:00Z")
    whole, hollow = figure.figure(make_view(table)).axes[0].lines
    assert [np.size(line.get_xdata()) for line in (whole, hollow)] == [1, 1]


def test_a_period_that_is_over_has_no_hollow_dot(tasks: pd.DataFrame) -> None:
    table = mltasks.failures(tasks, by=[], every="1h", until="2026-11-24 22:00")
    assert len(figure.figure(make_view(table)).axes[0].lines) == 1


def test_an_hour_that_comes_twice_has_its_offset() -> None:
    hours = pd.date_range("2026-10-24T22:00Z", periods=6, freq="h").tz_convert("Europe/Berlin")
    frame = failures(["A"] * 6).drop(columns="task_type").assign(period=hours)
    shown = words(figure.svg(view(frame, ["period"], report="failures", tz="Europe/Berlin")))
    assert {"10-25 02:00+0200", "10-25 03:00+0100"} <= {*shown}


def test_small_rates_have_the_digits_that_tell_them_apart() -> None:
    frame = failures(["A", "B"]).assign(failure_rate=[0.001, 0.002], failure_rate_low=0.0, failure_rate_high=0.004)
    shown = [w for w in words(figure.svg(view(frame, ["task_type"], report="failures"))) if w.endswith("%")]
    assert len({*shown}) == len(shown)
    assert "0.20%" in shown


def test_nodes_are_drawn_by_name_with_their_peaks(tasks: pd.DataFrame) -> None:
    found = words(figure.svg(make_view(mltasks.workers(tasks))))
    assert {"n1", "n2", "n3", "peak 14", "2m", "14m"} <= {*found}


@pytest.mark.parametrize(("by", "said"), [("task_type", "TRAINING"), ([], None)])
def test_periods_are_drawn_over_time_in_their_zone(tasks: pd.DataFrame, by: str | list[str], said: str | None) -> None:
    found = words(figure.svg(make_view(mltasks.durations(tasks, by=by, every="15min", tz="Asia/Kolkata"))))
    assert {"period (Asia/Kolkata); a hollow dot is a period that is not over", "median duration", "03:30"} <= {*found}
    assert said is None or said in found


def test_a_figure_over_time_shows_the_6_largest_groups_and_says_so(tasks: pd.DataFrame) -> None:
    found = words(figure.svg(make_view(mltasks.failures(tasks, by=["task_type", "function_name"], every="1h"))))
    assert "6 of 18 groups, those with the most tasks" in found


@pytest.mark.parametrize("frame", [failures([]), failures(["A"]).assign(failure_rate=float("nan"))])
def test_a_report_without_a_value_is_a_sentence(frame: pd.DataFrame) -> None:
    found = words(figure.svg(view(frame, ["task_type"], report="failures")))
    assert "no failure rate: no task has completed or failed" in found
    assert not [word for word in found if "1970" in word or word == "A"]


def test_where_the_values_are_withheld_the_sentence_says_why(tasks: pd.DataFrame) -> None:
    found = " ".join(words(figure.svg(make_view(mltasks.durations(tasks, by=[], every="1d")))))
    assert "no percentiles in 1 row: more than 5 % of the tasks of the period are open" in found
    assert "no task was measured" not in found


def test_each_of_two_hours_of_one_name_has_its_tick() -> None:
    begin = pd.Timestamp("2026-10-24 23:00", tz="UTC")
    hours = pd.date_range(begin, periods=4, freq="h").tz_convert("Europe/Berlin")
    frame = failures(["A"] * 4).assign(period=hours)
    found = words(figure.svg(view(frame, ["period"], report="failures", tz="Europe/Berlin")))
    assert {"10-25 02:00+0200", "10-25 02:00+0100"} <= {*found}


@pytest.mark.parametrize("names", [HOSTILE[:13], HOSTILE[13:]])
def test_texts_in_a_figure_are_texts_and_long_ones_end_in_dots(names: list[str]) -> None:
    svg = figure.svg(view(failures(names), ["task_type"], report="failures"))
    found = words(svg)
    for name in names:
        shown = one_line(name)
        assert shown in found or any(w.endswith("…") and shown.startswith(w[:-1].rstrip()) for w in found)
    assert {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()} <= {
        *("svg", "defs", "style", "g", "path", "use", "text", "clipPath", "rect", "tspan")
    }


def test_an_svg_names_no_address_but_its_namespaces(tasks: pd.DataFrame) -> None:
    svg = figure.svg(make_view(mltasks.workers(tasks)))
    assert set(re.findall(r"https?://[^\"' <]+", svg)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_figure_is_saved_by_suffix_with_the_same_bytes_each_time(tasks: pd.DataFrame, tmp_path: Path) -> None:
    shown = make_view(mltasks.workers(tasks))
    for name in ("a.png", "b.svg", "c.svg"):
        figure.save(shown, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    assert (tmp_path / "b.svg").read_bytes() == (tmp_path / "c.svg").read_bytes()
    ElementTree.parse(tmp_path / "b.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.svg", "c.svg"]


def test_other_pictures_and_other_reports_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--plot r\.pdf: no picture of this suffix; there are \.png and \.svg"):
        figure.save(view(failures([]), report="failures"), "r.pdf")
    with pytest.raises(UsageError, match="there is no figure of list"):
        figure.save(view(failures([]), report="list"), tmp_path / "r.svg")
    assert list(tmp_path.iterdir()) == []


def test_the_colours_of_a_load_over_time_are_read_as_durations(tasks: pd.DataFrame) -> None:
    shown = words(figure.svg(make_view(mltasks.workers(tasks, every="5min"))))
    assert [f"{minutes}m" for minutes in range(1, 8)] == [text for text in shown if text.endswith("m")]
