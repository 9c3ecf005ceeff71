from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.reports import report_info
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context
from support.generated import AS_OF, DAY, HOUR, Made, made

EAST = ClusterInfo(
    cluster="east", as_of_ms=AS_OF, timeout_s=600, timeout_assumed=False, nodes={}, train_pool_size={"n-1": 4}
)
OLD = {"state": "RUNNING", "create_time": AS_OF - HOUR}


def notes(*tasks: dict[str, Any], readings: tuple[ClusterInfo, ...] = (EAST,)) -> list[str]:
    return report_info.read_info(mltasks.durations(made(*tasks, readings=readings).pandas())).notes


@pytest.mark.parametrize(
    ("tasks", "note"),
    [
        ([{"state": "MOULTING"}], "1 task in a state that this version does not know, or in none, counted as open"),
        (
            [{"state": None}, {"state": "x"}],
            "2 tasks in a state that this version does not know, or in none, counted as open",
        ),
        (
            [OLD],
            "1 open task overdue: open for longer than the time-out of 600 s + 60 s, so that the record is as likely "
            "wrong as late",
        ),
        ([{"create_time": 0}], "1 task with an implausible time: in the counts, in no duration or load"),
    ],
)
def test_what_every_report_says_of_its_tasks(tasks: list[dict[str, Any]], note: str) -> None:
    assert note in notes(*tasks)
    assert notes({}) == []


def test_an_assumed_timeout_is_called_so_and_several_are_not_told_apart() -> None:
    assert "longer than an assumed time-out of 600 s" in notes(OLD, readings=(ClusterInfo(as_of_ms=AS_OF),))[0]
    west = ClusterInfo(cluster="west", as_of_ms=AS_OF, timeout_s=5, timeout_assumed=False, nodes={})
    assert "longer than the time-out of its cluster" in notes(OLD, readings=(EAST, west))[0]


def test_notes_of_the_reading_come_first() -> None:
    tasks = Made(made(OLD).rows, Context(source="here", readings=(EAST,), notes=("INCOMPLETE: a page is missing",)))
    assert report_info.read_info(mltasks.failures(tasks.dataset())).notes[0] == "INCOMPLETE: a page is missing"


@pytest.mark.parametrize(
    ("tasks", "options", "sentence"),
    [
        ([], {}, "0 tasks of east: there is nothing to report (all)"),
        ([{"create_time": AS_OF}], {}, "1 task of east, created 2025-03-07 02:00 UTC (all)"),
        (
            [{"create_time": AS_OF}, {"create_time": AS_OF - DAY}, {"create_time": 0}],
            {},
            "3 tasks of east, created 2025-03-06 02:00-2025-03-07 02:00 UTC (all)",
        ),
        ([{"create_time": None}], {}, "1 task of east (all)"),
        (
            [{}] * 1200,
            {"since": "7d", "task_type": ["training", "execution"]},
            "1,200 tasks of east, created 2025-03-07 01:00 UTC "
            "(since 2025-02-28T02:00:00.000Z; task_type training, execution)",
        ),
    ],
)
def test_a_report_begins_by_saying_what_it_covers(
    tasks: list[dict[str, Any]], options: dict[str, Any], sentence: str
) -> None:
    found = mltasks.durations(made(*tasks, readings=(EAST,)).pandas(), **options)
    assert report_info.read_info(found).covers() == sentence


def test_sources_are_the_clusters_and_where_a_file_names_none_the_file() -> None:
    ctx = Context(source="t.json", readings=(EAST, ClusterInfo(), EAST))
    assert report_info.source_names(ctx, {}) == ["east", "t.json"]
    several = Context(source="east.parquet, t.json", readings=(EAST, ClusterInfo()))
    assert report_info.source_names(several, {}) == ["east", "an unnamed cluster"]


@pytest.mark.parametrize(
    ("cluster", "source"),
    [("EAST", "of east,"), (["west", "east"], "of west, east,"), ("north", "of north,")],  # only rows name north
)
def test_of_chosen_clusters_only_these_are_named(cluster: str | list[str], source: str) -> None:
    west = ClusterInfo(cluster="west", as_of_ms=AS_OF)
    tasks = made({"cluster": "east"}, {"cluster": "west"}, {"cluster": "north"}, readings=(EAST, west)).pandas()
    assert source in report_info.read_info(mltasks.failures(tasks, cluster=cluster)).covers()


def test_a_window_that_begins_after_all_that_was_read_is_said_to_be_empty_whatever_there_is() -> None:
    tasks = made({}, readings=(EAST,)).pandas()
    wanted = "since 2030-01-01T00:00:00.000Z is later than 2025-03-07T02:00:00.000Z, as of when the tasks are known"
    (note,) = [n for n in report_info.read_info(mltasks.failures(tasks, since="2030-01-01")).notes if "later" in n]
    assert note == f"{wanted}: no task can be there"


def test_a_report_carries_its_own_description_and_not_that_of_the_tasks() -> None:
    found = mltasks.failures(mltasks.load("demo"), by="state", every="1d", tz="Europe/Berlin", task_type="TRAINING")
    assert list(found.attrs) == [report_info.KEY]
    assert metadata.read_attrs(found.attrs) is None
    said = report_info.read_info(found)
    assert (said.report, said.tz, said.keys, said.filters) == (
        *("failures", "Europe/Berlin", ["state", "period"]),
        {"task_type": ["training"]},
    )
    assert said.tasks == found["tasks"].sum()


def test_counts_are_whole_and_missing_ones_are_zero() -> None:
    frame = report_info.whole_numbers(pd.DataFrame({"a": [1.0, None], "b": [0.5, None]}), ["a"])
    assert frame["a"].tolist() == [1, 0]
    assert frame.dtypes.astype(str).tolist() == ["int64", "float64"]
    assert frame["b"].isna().tolist() == [False, True]
