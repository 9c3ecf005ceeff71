from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

import mltasks
from mltasks.exceptions import UsageError
from mltasks.tasks.metadata import ClusterInfo, Node
from support import generated
from support.generated import AS_OF, HOUR, Made, life, made
from support.slow_reports import as_rows

MINUTE = 60_000
ONE = (ClusterInfo(cluster="east", as_of_ms=AS_OF, nodes={"n-1": Node("alpha")}),)


def test_the_periods_of_the_real_load_add_up_to_the_whole() -> None:
    tasks = mltasks.load("demo")
    whole = mltasks.workers(tasks).set_index("worker_node")
    periods = mltasks.workers(tasks, every="1min", tz="Asia/Kolkata").groupby("worker_node")
    for name in ("task_s", "active_s"):
        assert periods[name].sum().to_dict() == pytest.approx(whole[name].to_dict())
    assert periods["peak_in_flight"].max().to_dict() == whole["peak_in_flight"].to_dict()


@given(generated.tasks(), generated.options(periods=("1h",), window="in_flight"))
@settings(max_examples=4, deadline=None)
def test_a_period_is_a_window_of_its_own(tasks: Made, options: dict[str, Any]) -> None:
    since, until = AS_OF - 5 * HOUR + 7 * MINUTE, AS_OF - HOUR - MINUTE
    chosen = {name: value for name, value in options.items() if name in ("by", "task_type", "cluster", "node")}
    found = mltasks.workers(tasks.pandas(), **chosen, since=since, until=until, every="2h")
    bounds = [since, AS_OF - 4 * HOUR, AS_OF - 2 * HOUR, until]
    alone = [
        mltasks.workers(tasks.pandas(), **chosen, since=low, until=high).assign(
            period=pd.Timestamp(low - low % (2 * HOUR), unit="ms", tz="UTC").as_unit("ms")
        )
        for low, high in pairwise(bounds)
    ]
    keys = [*chosen["by"], "period"]
    counts = [name for name in found.columns if not name.startswith("failure_rate")]  # withheld where much is open
    expected = {key: row for one in alone for key, row in as_rows(one[counts], keys).items()}
    assert as_rows(found[counts], keys) == expected


def test_a_task_counts_in_every_period_that_it_overlaps_and_only_there() -> None:
    tasks = made(life(3 * HOUR, 2 * HOUR), life(2 * HOUR, HOUR - 1), readings=ONE)
    for source in (tasks.pandas(), tasks.dataset()):
        found = mltasks.workers(source, every="1h")
        assert found[["worker_node", "tasks", "task_s"]].to_numpy().tolist() == [
            ["n-1", 1, 3600.0],
            ["n-1", 1, 3600.0],
            ["n-1", 1, 0.001],
        ]
        assert found["period"].tolist() == [pd.Timestamp(AS_OF - n * HOUR, unit="ms", tz="UTC") for n in (3, 2, 1)]


def test_each_period_has_a_row_for_each_known_node_and_for_the_total() -> None:
    tasks = made(life(3 * HOUR, 3 * HOUR - 5), life(HOUR, HOUR - 5)).pandas()
    found = mltasks.workers(tasks, every="1h")
    assert list(found.columns[:3]) == ["worker_node", "period", "node_name"]
    assert found.groupby("worker_node").size().to_dict() == {"n-1": 3, "n-2": 3, "n-3": 3, "w-9": 3}
    assert mltasks.workers(tasks, by=[], every="1h")["tasks"].tolist() == [1, 0, 1]


@pytest.mark.parametrize(("minutes", "refused"), [(400, False), (401, True)])
def test_more_than_400_periods_are_refused(minutes: int, refused: bool) -> None:
    tasks = made(life(minutes * MINUTE, 0), readings=ONE).pandas()
    if not refused:
        assert len(mltasks.workers(tasks, every="1min")) == 400
        return
    with pytest.raises(UsageError, match="every: 401 periods in the window are more than 400; choose longer ones"):
        mltasks.workers(tasks, every="1min")
