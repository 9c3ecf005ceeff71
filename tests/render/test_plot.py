"""Figures that Python draws into given axes: what is in them, and that the style stays the user's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import mltasks
from mltasks.exceptions import UsageError
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Node

NAMES = ("concurrency", "durations", "errors", "failure_rate", "node_load", "open_tasks")
COVERS = "552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all)"


@pytest.fixture(scope="module")
def tasks() -> pd.DataFrame:
    return mltasks.load("demo")


@pytest.fixture
def ax() -> Axes:
    return Figure(figsize=(8, 5)).subplots()


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


def colours(ax: Axes) -> Any:
    """Return the values of the heat map, row by row from the top."""
    (mesh,) = (each for each in ax.collections if isinstance(each, QuadMesh))
    return np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan)


def rows(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("name", NAMES)
def test_the_axes_that_are_given_come_back_with_title_source_window_and_labels(
    name: str, tasks: pd.DataFrame, ax: Axes
) -> None:
    before = dict(mpl.rcParams)
    options = {"every": "5min"} if name == "failure_rate" else {}
    assert getattr(mltasks.plot, name)(tasks, ax=ax, **options) is ax
    title, *rest = ax.get_title("left").split("\n")
    assert title[0].isupper()
    assert COVERS in " ".join(rest)
    assert ax.get_xlabel()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", NAMES)
def test_no_task_is_a_sentence_in_a_figure_of_its_own(name: str, tasks: pd.DataFrame) -> None:
    ax = getattr(mltasks.plot, name)(tasks.head(0))
    assert [text.get_text().split()[0] for text in ax.texts] == ["no"]
    assert "0 tasks of ml-fixture" in ax.get_title("left")


def test_the_rate_is_that_of_the_report_with_its_interval(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.failure_rate(tasks, every="5min", ax=ax)
    table = mltasks.failures(tasks, by=[], every="5min").dropna(subset="failure_rate")
    drawn = np.asarray(ax.lines[0].get_ydata(), dtype=float)
    assert drawn[~np.isnan(drawn)].tolist() == table["failure_rate"].tolist()
    assert len(ax.collections) == 1


def test_few_durations_are_a_point_each(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.durations(tasks, by="task_type", ax=ax)
    table = mltasks.durations(tasks, by="task_type")
    (cloud,) = (line for line in ax.lines if line.get_label() == "a task")
    assert len(np.asarray(cloud.get_xdata())) == table["measured"].sum() == 363
    assert ax.get_xscale() == "log"
    assert {"100ms", "1s", "10s"} <= {label.get_text() for label in ax.get_xticklabels()}


def test_many_durations_are_quantiles_alone(ax: Axes) -> None:
    few = mltasks.load("demo").query("outcome == 'succeeded'")
    many = pd.concat([few.assign(task_id=few["task_id"] + str(n)) for n in range(6)], ignore_index=True)
    mltasks.plot.durations(many, by="task_type", ax=ax)
    assert [line.get_label() for line in ax.lines if line.get_label() == "a task"] == []


def test_the_load_of_nodes_is_that_of_the_timeline(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.node_load(tasks, every="5min", ax=ax)
    table = mltasks.timeline(tasks, by="worker_node", every="5min")
    assert rows(ax) == ["n1", "n2", "n3"]
    expected = table.pivot(index="node_name", columns="period", values="mean_in_flight").to_numpy()
    np.testing.assert_array_equal(colours(ax), expected)


def test_sixty_nodes_of_long_names_all_have_a_name_no_higher_than_their_row(tasks: pd.DataFrame) -> None:
    nodes = {f"{n:02}-abcdefghijklmnopqrst": Node(f"node-of-twenty-lett{n:02}") for n in range(60)}
    part = tasks.head(60).assign(worker_node=[*nodes], error=None)
    reading = ClusterInfo(cluster="ml-fixture", as_of_ms=1_795_558_510_637, nodes=nodes)
    part.attrs = {metadata.KEY: Context(source="demo", readings=(reading,)).to_json()}
    ax = mltasks.plot.node_load(part)
    assert rows(ax) == [node.name for node in nodes.values()]
    height = ax.get_window_extent().height * 72 / ax.figure.dpi / 60
    assert 4 <= float(ax.get_yticklabels()[0].get_fontsize()) <= height


def test_concurrency_has_mean_and_peak_below_the_top(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.concurrency(tasks, every="5min", ax=ax)
    table = mltasks.timeline(tasks, every="5min")
    drawn = {str(line.get_label()): np.asarray(line.get_ydata(), dtype=float) for line in ax.lines}
    assert list(drawn["mean"]) == table["mean_in_flight"].tolist()
    assert list(drawn["peak"]) == table["peak_in_flight"].tolist()
    assert ax.get_ylim()[1] > table["peak_in_flight"].max()


def test_errors_are_counted_in_periods_the_commonest_first(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.errors(tasks, every="5min", ax=ax)
    table = mltasks.errors(tasks).sort_values(["tasks", "error"], ascending=[False, True]).head(12)
    assert colours(ax).sum(axis=1).tolist() == table["tasks"].tolist()
    assert colours(ax).shape == (12, 5)
    assert rows(ax)[0] == "Method is not implemented"
    assert ax.get_title("left").endswith("the 12 commonest of 20 errors")
    mltasks.plot.errors(tasks, every="1min", ax=ax)  # at most a few in a cell
    assert all(tick == round(tick) for tick in ax.figure.axes[-1].get_yticks())


def test_open_tasks_are_steps_of_each_verdict(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.open_tasks(tasks, ax=ax)
    counts = {str(line.get_label()): np.asarray(line.get_ydata()).tolist() for line in ax.lines}
    assert counts == {"waiting: 27": [*range(27, 0, -1)], "open: 6": [*range(6, 0, -1)]}


def test_few_open_tasks_have_whole_numbers_beside_them(tasks: pd.DataFrame, ax: Axes) -> None:
    some = tasks[tasks["state"] == "CREATED"].head(2)
    mltasks.plot.open_tasks(some, as_of=tasks["create_time"].max(), ax=ax)
    assert [float(tick) for tick in ax.get_yticks()] == [0.0, 1.0, 2.0, 3.0]


def test_a_source_and_filters_are_taken_as_by_the_report(ax: Axes) -> None:
    mltasks.plot.failure_rate("demo", task_type="TRAINING", every="5min", ax=ax)
    assert "306 tasks of ml-fixture" in ax.get_title("left")
    with pytest.raises(UsageError, match="failures does not take the filter state"):
        mltasks.plot.failure_rate("demo", state="FAILED", ax=ax)  # type: ignore[call-arg]


def test_the_colours_are_those_of_the_style(tasks: pd.DataFrame) -> None:
    with plt.style.context("dark_background"):
        ax = mltasks.plot.failure_rate(tasks, by="task_type", every="5min")
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
        assert [mpl.colors.to_hex(line.get_color()) for line in ax.lines[:2]] == cycle[:2]
        assert ax.get_facecolor() == (0.0, 0.0, 0.0, 1.0)


def test_a_dollar_sign_in_a_name_is_no_formula(tasks: pd.DataFrame, ax: Axes) -> None:
    mltasks.plot.durations(tasks.assign(team="$x^2$"), by="team", ax=ax)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert rows(ax) == ["$x^2$"]
    assert not ax.get_yticklabels()[0].get_parse_math()


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_documents_what_it_takes(name: str) -> None:
    function = getattr(mltasks.plot, name)
    assert function.__module__ == "mltasks.plot"
    assert "ax : Axes, optional" in function.__doc__
    assert "Returns\n-------\nAxes" in function.__doc__
