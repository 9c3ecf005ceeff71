from __future__ import annotations

import pandas as pd

from mltasks.reports.clusters import compare_clusters
from mltasks.reports.headline import measure_headline
from mltasks.reports.open_groups import group_open_tasks
from mltasks.reports.unfinished import judge_some
from mltasks.tasks.metadata import ClusterInfo, Node
from support import generated
from support.generated import AS_OF, DAY, HOUR, MINUTE, life

EAST = ClusterInfo(cluster="east", as_of_ms=AS_OF, timeout_assumed=False, nodes={"n-1": Node("a", (), AS_OF - MINUTE)})
WEST = ClusterInfo(cluster="west", as_of_ms=AS_OF, timeout_assumed=False)


def both() -> pd.DataFrame:
    """Return tasks of a cluster that is known for 20 days, one of them lost, and of one that is known for an hour."""
    failed = {"state": "FAILED", "error": "no such index [x]"}
    return generated.made(
        life(20 * DAY, 20 * DAY - 1000),
        life(HOUR, HOUR - 1000, **failed),
        life(5 * MINUTE, 5 * MINUTE, state="RUNNING"),
        life(HOUR, HOUR - 1000, cluster="west", **failed),
        life(5 * MINUTE, 5 * MINUTE, cluster="west", state="RUNNING"),
        life(30 * HOUR, 30 * HOUR, state="RUNNING", task_type="BATCH_PREDICTION"),
        readings=(EAST, WEST),
    ).pandas()


def test_a_cluster_that_is_known_for_an_hour_has_no_new_errors_that_anybody_could_tell() -> None:
    table = compare_clusters(both(), None, {})
    assert table is not None
    assert table["cluster"].tolist() == ["east", "west"]
    assert table["new_errors"].tolist() == [1, pd.NA]
    assert table["lost"].tolist() == [1, pd.NA]


def test_where_some_tasks_are_lost_and_others_cannot_be_told_the_numbers_say_that_there_may_be_more() -> None:
    tables = {"unfinished": judge_some(both()), "workers": pd.DataFrame()}
    headline, note = measure_headline(both(), tables, None, None, {})
    assert headline.set_index("measure")["value"]["lost"] == 1
    assert "; more may be lost: when the nodes of west were started is not part of what was read" in note


def test_groups_of_open_tasks_begin_with_what_is_lost() -> None:
    assert group_open_tasks(judge_some(both()))["verdict"].tolist() == ["lost", "waiting", "open"]
