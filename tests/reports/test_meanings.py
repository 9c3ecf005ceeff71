"""What the numbers of reports mean, on frames of a few tasks, each with the value worked out by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from mltasks.tasks.metadata import ClusterInfo, Node
from support.generated import AS_OF, HOUR, Made, made

BEGIN = AS_OF - 40 * HOUR
FIRST = pd.Timestamp(BEGIN, unit="ms", tz="UTC")


def t(state: str, created: float, ended: float, **fields: Any) -> dict[str, Any]:
    """Return a task by the seconds of its creation and its end."""
    times = {"create_time": BEGIN + round(created * 1000), "last_update_time": BEGIN + round(ended * 1000)}
    return {"state": state, **times, **fields}


def read_at(seconds: float, *tasks: dict[str, Any]) -> Made:
    """Return tasks of a cluster that was read so many seconds after the beginning."""
    return made(*tasks, readings=(ClusterInfo(cluster="east", as_of_ms=BEGIN + round(seconds * 1000)),))


def sources(tasks: Made) -> list[Any]:
    return [tasks.pandas(), tasks.dataset()]


def notes(table: pd.DataFrame) -> str:
    return " | ".join(report_info.read_info(table).notes)


def row_of(table: pd.DataFrame) -> dict[str, Any]:
    (row,) = table.to_dict("records")
    return {str(name): value for name, value in row.items()}


def seconds_of(time: Any) -> float | None:
    return None if pd.isna(time) else (time - FIRST).total_seconds()


@pytest.mark.parametrize(
    ("tasks", "last_success", "failing_since", "in_a_row"),
    [
        ([t("COMPLETED", 0, 120), t("FAILED", 60, 61)], 120, 60, 1),
        ([t("FAILED", n, n + 1) for n in range(30)] + [t("COMPLETED", 40, 41)], 41, None, 0),
        ([t("FAILED", 1, 2), t("FAILED", 3, 4)], None, 1, 2),
        ([t("COMPLETED", 0, 1), t("FAILED", 2, 3), t("CANCELLED", 4, 5), t("RUNNING", 6, 7)], 1, 2, 1),
        ([t("COMPLETED", 0, 5000), t("FAILED", 60, 61)], 1000, 60, 1),  # an end after as_of
        (
            [t("COMPLETED", 0, 900, task_type="BATCH_PREDICTION"), t("FAILED", 60, 61, task_type="BATCH_PREDICTION")],
            *(0, 60, 1),
        ),
    ],
)
def test_a_group_fails_since_the_first_failure_created_after_the_newest_success(
    tasks: list[dict[str, Any]], last_success: float | None, failing_since: float | None, in_a_row: int
) -> None:
    for source in sources(read_at(1000, *tasks)):
        row = row_of(mltasks.failures(source, by=[]))
        assert (seconds_of(row["last_success"]), seconds_of(row["failing_since"])) == (last_success, failing_since)
        assert row["failures_in_a_row"] == in_a_row


def test_with_periods_there_is_no_now() -> None:
    table = mltasks.failures(read_at(1000, t("COMPLETED", 0, 1), t("FAILED", 2, 3)).pandas(), by=[], every="1h")
    assert table[["last_success", "failing_since", "failures_in_a_row"]].isna().all(axis=None)


def test_a_burst_of_60_failures_among_600_successes_has_a_wide_interval() -> None:
    spread = [t("COMPLETED", n * 100, n * 100 + 1) for n in range(600)]
    burst = [t("FAILED", 30_000 + n, 30_001 + n) for n in range(60)]
    for source in sources(read_at(60_000, *spread, *burst)):
        row = row_of(mltasks.failures(source, by=[]))
        assert row["failure_rate"] == pytest.approx(60 / 660)
        assert row["design_effect"] > 30
        assert row["failure_rate_high"] - row["failure_rate_low"] > 0.25
    even = [t("FAILED", n * 1000, n * 1000 + 1) for n in range(60)]
    assert row_of(mltasks.failures(read_at(60_000, *spread, *even).pandas(), by=[]))["design_effect"] == 1


@pytest.mark.parametrize(("n", "known"), [(9, 1), (10, 2), (19, 2), (20, 3), (99, 3), (100, 4)])
def test_a_percentile_needs_enough_tasks(n: int, known: int) -> None:
    tasks = read_at(1000, *(t("COMPLETED", 0, 1 + k) for k in range(n)))
    for source in sources(tasks):
        row = mltasks.durations(source, by=[])[["p50_s", "p90_s", "p95_s", "p99_s"]].iloc[0]
        assert row.notna().tolist() == [place < known for place in range(4)]


def test_a_period_of_which_much_is_open_has_neither_rate_nor_percentiles() -> None:
    done = [t("COMPLETED", n, n + 1) for n in range(18)] + [t("FAILED", 20, 21)]
    settled, early = t("RUNNING", 30, 30), [t("RUNNING", 4000 + n, 4000) for n in range(2)]
    tasks = read_at(8000, *done, settled, *early, t("FAILED", 4100, 4101), t("COMPLETED", 4200, 4300))
    for source in sources(tasks):
        rates = mltasks.failures(source, by=[], every="1h")
        assert rates["failure_rate"].notna().tolist() == [True, False]
        assert rates[["failed", "open"]].to_numpy().tolist() == [[1, 1], [1, 2]]
        assert "no failure rate in 1 row: more than 5 % of the tasks of the period are open" in notes(rates)
        assert mltasks.durations(source, by=[], every="1h")["p50_s"].notna().tolist() == [True, False]
        assert mltasks.failures(source, by=[])["failure_rate"].notna().tolist() == [True]


def test_a_filter_by_error_would_change_the_rate_and_is_refused() -> None:
    refused: Any = {"error": "x"}  # which the type does not take either
    for report in (mltasks.failures, mltasks.workers):
        with pytest.raises(UsageError, match="does not take the filter error: it would change the failure rate"):
            report(made().pandas(), **refused)


def test_trainings_have_no_rate_by_model_and_nothing_has_one_by_reason() -> None:
    deploy = {"task_type": "DEPLOY_MODEL", "model_id": "m"}
    tasks = read_at(
        1000,
        *(t("COMPLETED", 0, 1, model_id="m"), t("FAILED", 0, 1, error="boom")),
        *(t("COMPLETED", 0, 1, **deploy), t("FAILED", 0, 1, error="no", **deploy)),
    )
    for source in sources(tasks):
        by_type = mltasks.failures(source, by="task_type", model="m")
        assert by_type["failure_rate"].fillna(-1).tolist() == [0.5, -1]
        assert "they have a model_id only after they succeeded" in notes(by_type)
        assert mltasks.failures(source, by="model_id")["failure_rate"].isna().all()
        assert mltasks.failures(source, by="model_id", task_type="DEPLOY_MODEL")["failure_rate"].tolist() == [0.5]
        assert mltasks.failures(source, by="reason")["failure_rate"].isna().all()


def test_failures_by_node_say_that_a_task_counts_on_each_of_its_nodes() -> None:
    table = mltasks.failures(made(t("COMPLETED", 0, 1, worker_node=["n-1", "n-2"])).pandas(), by="worker_node")
    assert table["tasks"].tolist() == [1, 1]
    assert "a task with several nodes counts once on each of them" in notes(table)


@pytest.mark.parametrize("report", [mltasks.failures, mltasks.durations, mltasks.workers])
def test_the_filter_node_leaves_only_rows_of_that_node_with_all_their_tasks(report: Any) -> None:
    tasks = made(t("COMPLETED", 0, 1, worker_node=["n-1", "n-2"]), t("COMPLETED", 0, 1, worker_node=["n-2"]))
    for source in sources(tasks):
        table = report(source, by="worker_node", node="alpha")
        assert table[["worker_node", "tasks"]].to_numpy().tolist() == [["n-1", 1]]
    assert mltasks.failures(mltasks.load("demo"), by="worker_node", node="n1")["tasks"].tolist() == [259]


def test_overdue_tasks_are_a_column_beside_the_open_ones() -> None:
    tasks = read_at(1000, t("RUNNING", 0, 0), t("RUNNING", 900, 900), t("COMPLETED", 0, 1))
    for source in sources(tasks):
        assert mltasks.failures(source, by=[])[["open", "overdue"]].to_numpy().tolist() == [[2, 1]]
        assert mltasks.workers(source, by=[])["overdue"].tolist() == [1]


def test_an_overdue_task_is_in_flight_until_its_time_out_so_that_closed_windows_do_not_change() -> None:
    for seconds in (700, 1000, 5000):
        for source in sources(read_at(seconds, t("RUNNING", 0, 0))):
            assert row_of(mltasks.workers(source, by=[]))["task_s"] == 600
    demo = mltasks.load("demo")
    one, other = (mltasks.workers(demo, until="2026-11-24 22:15", as_of=f"2026-11-24 22:{m}") for m in (22, 30))
    assert one["task_s"].round(1).tolist() == other["task_s"].round(1).tolist()
    assert one.loc[one["node_name"] == "n2", "task_s"].round(1).tolist() == [728.7]


def test_an_open_task_of_1970_is_implausible_too() -> None:
    for source in sources(read_at(1000, t("RUNNING", 0, 0), t("RUNNING", 0, 0, create_time=5))):
        table = mltasks.failures(source, by=[])
        assert table[["open", "overdue"]].to_numpy().tolist() == [[2, 1]]
        assert "1 task with an implausible time" in notes(table)
    assert made(t("RUNNING", 0, 0, create_time=5)).pandas()["duration_status"].tolist() == ["implausible"]


def test_a_comparison_says_which_tasks_have_no_time_to_be_on_a_side() -> None:
    sides = [t("COMPLETED", n, n + 1) for n in range(20)]
    odd = [t("FAILED", 0, 1, create_time=5), t("RUNNING", 0, 0, create_time=BEGIN * 3), t("COMPLETED", 9, 1e9)]
    for source in sources(read_at(1000, *sides, *odd)):
        table = mltasks.compare(source, by=[], split=BEGIN + 10_000)
        assert table[["tasks_before", "tasks_after", "failed_before"]].to_numpy().tolist() == [[11, 10, 0]]
        assert table["p50_before_s"].tolist() == [1]
        said = notes(table)
        assert "2 tasks without a plausible create_time: on no side" in said
        assert "1 task with an implausible time: in the counts, in no duration or load" in said


def test_a_long_task_is_in_the_load_of_a_window_that_begins_later(tmp_path: Any) -> None:
    tasks = read_at(36_000, t("COMPLETED", 0, 36_000), t("COMPLETED", 35_000, 35_001)).pandas()
    path = tmp_path / "tasks.parquet"
    mltasks.write_parquet(tasks, path)
    assert row_of(mltasks.workers(mltasks.scan(path, since="2h"), by=[]))["task_s"] == 7201
    assert row_of(mltasks.workers(tasks, by=[], since="2h"))["task_s"] == 7201
    cut = mltasks.workers(mltasks.load(path, since="2h"), by=[])
    assert row_of(cut)["task_s"] == 1
    assert row_of(cut)["mean_in_flight"] == pytest.approx(1 / 7200)  # the window begins at since
    said = notes(cut)
    assert "are missing, since the tasks were selected by that time when they were read" in said
    assert "are missing" not in notes(mltasks.workers(mltasks.scan(path, since="2h"), by=[]))


def test_each_cluster_has_its_own_window() -> None:
    nodes = {"west": {"w": Node("w")}, "east": {"e": Node("e")}, "old": {"o": Node("o")}}
    ends = {"west": 1000, "east": 2000, "old": 50}
    readings = tuple(
        ClusterInfo(cluster=name, as_of_ms=BEGIN + end * 1000, nodes=nodes[name]) for name, end in ends.items()
    )
    tasks = made(
        *(t("COMPLETED", 100, 600, cluster=name, worker_node=[name[0]]) for name in ("west", "east")),
        t("COMPLETED", 0, 40, cluster="old", worker_node=["o"]),
        readings=readings,
    )
    for source in sources(tasks):
        table = mltasks.workers(source, since=BEGIN + 100_000)
        assert table["worker_node"].tolist() == ["e", "o", "w"]
        assert table["task_s"].fillna(-1).tolist() == [500, -1, 500]
        assert table["mean_in_flight"].fillna(-1).tolist() == pytest.approx([500 / 1900, -1, 500 / 900])
        assert table["peak_in_flight"].fillna(-1).tolist() == [1, -1, 1]
        assert "old was read before the window begins: nothing is known of its load there" in notes(table)


def frame_of_a_file(seconds: float, *tasks: dict[str, Any], cluster: str | None) -> pd.DataFrame:
    """Return tasks as a file without metadata has them: its newest time is when it was made."""
    rows = [{"cluster": cluster, **task} for task in (*tasks, t("COMPLETED", 0, seconds, task_id=f"last {seconds}"))]
    return made(*rows).pandas().drop(columns=["duration_s", "outcome"]).copy(deep=True)


@pytest.mark.parametrize("later_first", [False, True])
def test_a_cluster_that_only_the_rows_of_a_file_name_is_as_old_as_its_file(later_first: bool) -> None:
    files = [
        frame_of_a_file(100, t("RUNNING", 0, 1), cluster="first"),
        frame_of_a_file(9000, t("RUNNING", 8995, 8995), cluster="second"),
    ]
    for frame in files:
        frame.attrs = {}
    table = mltasks.workers(files[::-1] if later_first else files, by="cluster")
    assert table[["cluster", "overdue", "task_s"]].to_numpy().tolist() == [["first", 0, 200], ["second", 0, 9005]]
    assert table["mean_in_flight"].tolist() == pytest.approx([2, 9005 / 9000])
    info = report_info.read_info(table)
    assert sorted(info.sources) == ["first", "second"]
    assert not any(words in notes(table) for words in ("could not be read", "is not known", "no cluster"))


def test_files_that_name_no_cluster_are_one_and_a_note_says_until_when_their_open_tasks_count() -> None:
    older, younger, ended = (
        frame_of_a_file(100, t("RUNNING", 0, 1, task_id="a"), cluster=None),
        frame_of_a_file(9000, cluster=None),
        frame_of_a_file(200, cluster=None),
    )
    for frame in (older, younger, ended):
        frame.attrs = {}
    said = "sources that name no cluster are taken as one, read at the latest of their times, 2025-03-05T12:30:00.000Z"
    table = mltasks.workers([younger, older], by=[])
    assert row_of(table)["overdue"] == 1
    assert said in notes(table)
    assert "name no cluster" not in notes(mltasks.workers([younger, ended], by=[]))  # nothing is open
    assert "name no cluster" not in notes(mltasks.workers(older, by=[]))


def test_a_period_counts_what_was_in_flight_and_what_ended_in_it() -> None:
    begin = -(BEGIN % HOUR) / 1000  # of the hour
    tasks = read_at(3 * 3600, t("FAILED", begin + 60, begin + 4000), t("COMPLETED", begin + 60, begin + 120))
    for source in sources(tasks):
        table = mltasks.workers(source, by=[], every="1h")
        assert table[["tasks", "completed", "failed"]].head(2).to_numpy().tolist() == [[2, 1, 0], [1, 0, 1]]


def test_a_node_with_harder_work_is_not_blamed() -> None:
    hard = [
        t("FAILED" if n < 5 else "COMPLETED", n, n + 1, function_name="HARD", worker_node=["n-1"]) for n in range(10)
    ]
    easy = [t("COMPLETED", n, n + 1, worker_node=["n-2"]) for n in range(10)]
    table = mltasks.workers(made(*hard, *easy).pandas(), node=["n-1", "n-2"])
    assert table[["failed", "expected_failed"]].to_numpy().tolist() == [[5, 5.0], [0, 0.0]]
    demo = mltasks.workers(mltasks.load("demo"))
    assert demo["expected_failed"].round(1).tolist() == [81.5, 79.6, 71.9]


def test_a_task_that_is_most_of_a_load_is_named() -> None:
    tasks = read_at(10_000, t("COMPLETED", 0, 5000, task_id="huge"), t("COMPLETED", 0, 10), t("COMPLETED", 0, 20))
    for source in sources(tasks):
        said = notes(mltasks.workers(source, by=[]))
        assert "one task, huge, is 99.4% of the time in flight of a row of 3 tasks" in said


def test_a_slice_of_a_frame_is_not_all() -> None:
    demo = mltasks.load("demo")
    covers = report_info.read_info(mltasks.failures(demo.head(100))).covers()
    assert covers.startswith("100 tasks of ml-fixture")
    assert covers.endswith("(a part of the 552 loaded)")
    assert report_info.read_info(mltasks.failures(demo)).covers().endswith("(all)")


def test_the_load_of_a_slice_says_that_tasks_are_left_out() -> None:
    demo = mltasks.load("demo")
    said = "these are 100 of the 552 tasks that were loaded: what the others had in flight is missing"
    table = mltasks.workers(demo.head(100), node="n1")
    assert said in notes(table)
    assert report_info.read_info(table).covers().endswith("(node n1; a part of the 552 loaded)")
    assert said in notes(mltasks.timeline(demo.head(100)))
    assert "that were loaded" not in notes(mltasks.workers(demo, by=[], since="10m"))


def test_ago_counts_from_the_end_of_a_window_in_the_past() -> None:
    info = report_info.read_info(mltasks.failures(mltasks.load("demo"), until="2026-11-24 22:00"))
    assert info.ago_from_ms == pd.Timestamp("2026-11-24 22:00", tz="UTC").value // 1_000_000
    assert report_info.read_info(mltasks.failures(mltasks.load("demo"))).ago_from_ms == info.as_of_ms


@pytest.mark.parametrize(("later", "named"), [(3600, False), (3601, True)])
def test_a_task_that_alone_sets_an_assumed_time_is_named(later: int, named: bool) -> None:
    rows = read_at(0, t("COMPLETED", 0, 1), t("COMPLETED", 5, 10), t("COMPLETED", 0, 10 + later, task_id="odd")).arrow
    for source in (rows, rows.to_pandas(), mltasks.load(rows)):
        said = notes(mltasks.failures(source, by=[]))
        assert ("the task odd alone sets that time, more than an hour after all others" in said) == named
        assert "which is assumed" in said
    chosen = mltasks.failures(rows, by=[], as_of=BEGIN + 9_000_000)
    assert "alone sets" not in notes(chosen)


def test_the_same_id_under_two_cluster_names_is_said() -> None:
    tasks = read_at(1000, *(t("COMPLETED", 0, 1, task_id="a", cluster=name) for name in ("east", "west")))
    other = read_at(1000, t("COMPLETED", 0, 1, task_id="b", cluster="west"))
    frames = [read_at(1000, t("COMPLETED", 0, 1, task_id="a", cluster=name)).pandas() for name in ("east", "west")]
    both = pd.concat(frames)
    plain = pd.DataFrame(dict(both.items()))
    for source in (tasks.arrow, both, plain, mltasks.load(plain), mltasks.scan(tasks.arrow)):
        table = mltasks.failures(source, by=[])
        assert table["tasks"].tolist() == [2]
        assert "1 task id is there under several cluster names, such as a of east and west" in notes(table)
    assert "several cluster names" not in notes(mltasks.failures(pd.concat([frames[0], other.pandas()]), by=[]))
