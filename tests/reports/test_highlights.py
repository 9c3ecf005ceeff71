from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.reports import page_reports, report_info, unfinished
from mltasks.reports.findings.finding import KINDS, Commands
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Model, Node
from support import labelled
from support.command import Command
from support.generated import AS_OF, DAY, HOUR, MINUTE, Made, made
from support.shown_numbers import numbers, unproven

BEGIN = AS_OF - 20 * HOUR
NOW = datetime.fromtimestamp(AS_OF / 1000, UTC)
Row = dict[str, Any]


def t(state: str, created: float, ended: float, **fields: Any) -> Row:
    """Return a task by the seconds of its creation and its end."""
    times = {"create_time": BEGIN + round(created * 1000), "last_update_time": BEGIN + round(ended * 1000)}
    return {"state": state, **times, **fields}


def found(tasks: Made, *readings: ClusterInfo, **options: Any) -> pd.DataFrame:
    """Return the report of pandas; that of other engines is the same, see below."""
    ctx = metadata.replace(tasks.context, readings=readings or tasks.context.readings)
    tasks = Made(tasks.rows, ctx)
    options.setdefault("now", NOW)
    return mltasks.highlights(tasks.pandas(), **options)


def lines(*tasks: Row, **options: Any) -> list[tuple[str, str, str]]:
    """Return kind, subject and reason of the highlights of some tasks."""
    table = found(made(*tasks), **options)
    return [*table[["kind", "subject", "reason"]].itertuples(index=False, name=None)]


def notes(table: pd.DataFrame) -> list[str]:
    return report_info.read_info(table).notes


def test_what_needs_attention_in_the_real_tasks() -> None:
    table = mltasks.highlights(mltasks.load("demo"))
    assert table[["kind", "subject", "count", "reason", "example_task_id"]].to_numpy().tolist() == [
        [
            "never_succeeded",
            "DEPLOY_MODEL / KMEANS, LOGISTIC_REGRESSION, FIT_RCF, BATCH_RCF, LINEAR_REGRESSION",
            38,
            "38 failed and none succeeded since 2026-11-24 21:59 UTC: Method is not implemented",
            "tYucD6IBgq5QguZjITe0",
        ],
        [
            "never_succeeded",
            "DEPLOY_MODEL / TEXT_EMBEDDING",
            11,
            "11 failed and none succeeded since 2026-11-24 21:57 UTC, mostly: Offline model is enabled.",
            "3tWbD6IBQik9Ua0C9v9E",
        ],
    ]
    assert table["command"].tolist() == [
        "mltasks failures demo --task-type DEPLOY_MODEL "
        "--function-name KMEANS,LOGISTIC_REGRESSION,FIT_RCF,BATCH_RCF,LINEAR_REGRESSION --by task_type",
        "mltasks failures demo --task-type DEPLOY_MODEL --function-name TEXT_EMBEDDING",
    ]


def test_the_planted_changes_are_found_and_the_burst_is_none() -> None:
    table = mltasks.highlights(labelled.load())
    assert table[["kind", "subject", "count"]].to_numpy().tolist() == [
        ["new_error", table["subject"][0], 40],
        ["new_error", "Memory Circuit Breaker is open, please check your resources!", 3],
        ["worse", "TRAINING / LOGISTIC_REGRESSION", 47],
        ["worse", "AGENT_EXECUTION / AGENT", 400],
        ["worse", "REGISTER_MODEL / TEXT_EMBEDDING", 150],
    ]
    assert f"{table['since'][2]:%m-%d %H:%M}" == "11-14 00:40"
    assert table["reason"][2] == (
        "fails more than before: failure rate 3.7% -> 15.7%: +12.0 points (+7.1 to +17.2), since 2026-11-14 00:40 UTC"
    )
    tasks = labelled.load().set_index("task_id")
    later = tasks[
        (tasks["task_type"] == "REGISTER_MODEL") & (tasks["create_time"] >= pd.Timestamp("2026-11-14", tz="UTC"))
    ]
    assert tasks.loc[table["example_task_id"][2], "outcome"] == "failed"
    slowest = tasks.loc[table["example_task_id"][4]]
    assert slowest["function_name"] == "TEXT_EMBEDDING"
    assert slowest["duration_s"] == later["duration_s"].max()


@pytest.mark.parametrize("source", ["demo", str(labelled.PATH)], ids=["demo", "labelled"])
def test_every_number_of_a_sentence_is_one_that_its_command_shows(source: str, mltasks_command: Command) -> None:
    assert unproven(source, mltasks_command) == []


def busy(seed: int) -> Made:
    """Return 600 tasks of 30 days: a group that never succeeds, one that fails now, one that got worse, new errors."""
    random_ = random.Random(seed)
    rows = []
    for _ in range(600):
        age = random_.random() * 30 * DAY
        name = random_.choice(["KMEANS", "BROKEN", "DEAD", "SLOWER", "LATE"])
        seconds = random_.lognormvariate(1, 0.5) * (9 if name == "SLOWER" and age < 7 * DAY else 1)
        limit = {"DEAD": 1.0, "BROKEN": 0.02 if age > 5 * DAY else 1.0, "LATE": 0.02 if age > 7 * DAY else 0.6}
        failed = random_.random() < limit.get(name, 0.03)
        error = random_.choice(["disk full, 93 % used", "status 503", "out of memory"])
        error = f"node 7 says: {error}" if age < 3 * DAY else error
        rows.append(
            {
                "create_time": round(AS_OF - age),
                "last_update_time": round(AS_OF - age + 1000 * seconds),
                "state": "FAILED" if failed else "COMPLETED",
                "error": error if failed else None,
                "function_name": name,
                "task_type": random_.choice(["TRAINING", "DEPLOY_MODEL"]),
            }
        )
    return made(*rows, *({"create_time": AS_OF - DAY, "state": state} for state in ("RUNNING", "CREATED")))


def test_every_number_is_shown_of_tasks_where_much_is_wrong(tmp_path: Path, mltasks_command: Command) -> None:
    path = tmp_path / "tasks.parquet"
    mltasks.write_parquet(busy(0).pandas(), path)
    kinds = set(mltasks.highlights(mltasks.scan(path))["kind"])
    assert {"old", "overdue", "never_succeeded", "failing", "new_error", "worse"} <= kinds
    assert unproven(str(path), mltasks_command) == []


def test_numbers_are_found_in_a_sentence_and_times_are_one_each() -> None:
    assert numbers("1,234 failed since 2026-11-24 21:59 UTC, 3.5 %") == {"1234", "2026-11-24 21:59", "3.5"}


def test_a_failure_created_after_the_newest_success_is_failing_since_then() -> None:
    calm = [t("COMPLETED", n, n + 1) for n in range(-200, -100)]
    ((kind, subject, reason),) = lines(*calm, t("COMPLETED", 0, 120), t("FAILED", 60, 61, error="boom"))
    assert (kind, subject) == ("failing", "TRAINING / KMEANS")
    begin = f"{pd.Timestamp(BEGIN + 60_000, unit='ms'):%Y-%m-%d %H:%M} UTC"
    assert reason.startswith(f"1 failed in a row since {begin}, last success ")
    assert reason.endswith(" UTC: boom")


def test_999_failures_and_then_one_success_are_not_calm() -> None:
    tasks = [t("FAILED", n, n + 1) for n in range(999)] + [t("COMPLETED", 1001, 1002)]
    other = t("COMPLETED", 0, 1, function_name="CALM")
    assert lines(*tasks, other) == [("most_failures", "TRAINING / KMEANS", "999 of all 999 failures")]
    assert lines(*tasks) == [("most_failures", "TRAINING / KMEANS", "999 of all 999 failures, 1 completed")]


def test_a_group_that_fails_often_and_failed_last_is_not_failing() -> None:
    states = ["FAILED" if n % 5 < 2 else "COMPLETED" for n in range(100)]
    tasks = [t(state, n, n + 1) for n, state in enumerate([*states, "FAILED"])]
    assert "failing" not in [kind for kind, _, _ in lines(*tasks)]


def test_a_burst_that_is_over_is_nothing_that_fails_or_got_worse() -> None:
    calm = [t("COMPLETED", n * 100, n * 100 + 1) for n in range(600)]
    burst = [t("FAILED", 40_000 + n / 10, 40_001 + n / 10) for n in range(40)]
    assert lines(*calm, *burst, t("COMPLETED", 60_000, 60_001, function_name="CALM")) == [
        ("most_failures", "TRAINING / KMEANS", "40 of all 40 failures")
    ]


def test_a_cluster_called_overdue_triggers_nothing() -> None:
    info = ClusterInfo(cluster="overdue-eu INCOMPLETE", as_of_ms=AS_OF, nodes=None)
    table = found(made(t("COMPLETED", 0, 1, cluster="overdue-eu INCOMPLETE")), info)
    assert table.empty
    assert "nothing found: no task is lost or overdue, no group failing" in notes(table)
    assert "what fails more or is slower cannot be told: no task of as long a time before is known" in notes(table)


def test_a_batch_prediction_that_somebody_looks_at_today_hides_nothing() -> None:
    polled = {"task_type": "BATCH_PREDICTION", "function_name": "REMOTE"}
    tasks = [t("COMPLETED", n, n + 1, **polled) for n in range(200)]
    looked_at = t("COMPLETED", 300, 70_000, **polled)
    failed = [t("FAILED", 400 + n, 500, **polled) for n in range(3)]
    ((kind, _, reason),) = lines(*tasks, looked_at, *failed)
    assert (kind, reason[:17]) == ("failing", "3 failed in a row")


def test_nothing_found_is_said_as_that() -> None:
    healthy = [t("COMPLETED", n * 60, n * 60 + 1) for n in range(1000)]
    table = found(made(*healthy))
    assert table.empty
    calm = "nothing found: no task is lost or overdue, no group failing, nothing that fails more or is slower"
    assert calm in notes(table)
    assert "new errors cannot be told: tasks of less than two days are known" in notes(table)
    assert calm not in notes(found(made(*healthy, t("FAILED", 65_000, 65_001))))
    weeks = [{"create_time": AS_OF - n * HOUR, "last_update_time": AS_OF - n * HOUR + 1} for n in range(24 * 28)]
    assert (
        "nothing found: no task is lost or overdue, no model down, no group failing, no error new, "
        "nothing that fails more or is slower"
    ) in notes(found(made(*weeks), ClusterInfo(as_of_ms=AS_OF, model_index={})))
    assert notes(found(made(*weeks), function_name="METRICS_CORRELATION"))[-1:] == [
        "no task, so that nothing was looked at"
    ]
    (note,) = [
        note for note in notes(found(made(*weeks), node="n-1")) if note.startswith("what fails more or is slower")
    ]
    assert (
        note
        == "what fails more or is slower cannot be told of one node: mltasks compare --node shows it beside the others"
    )


@pytest.mark.parametrize("most", [4, 2])
def test_more_open_tasks_than_can_be_judged_end_no_report_and_leave_no_false_calm(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "MOST", most)
    young = {"create_time": AS_OF - MINUTE, "state": "RUNNING"}
    tasks = made(*(young | {"task_type": name} for name in ["TRAINING"] * 3 + ["BATCH_PREDICTION"] * 2))
    tables = page_reports.run_reports(tasks.pandas(), as_of=AS_OF)
    can_judge = most == 4
    assert len(tables["unfinished"]) == (3 if can_judge else 0)
    said = notes(tables["highlights"])
    assert ("which tasks are lost, overdue or suspect cannot be told" in " ".join(said)) is not can_judge
    calm = [note for note in said if note.startswith("nothing found: ")]
    assert calm == [f"nothing found: {'no task is overdue, ' if can_judge else ''}no group failing"]


def test_groups_of_one_type_that_fail_with_one_error_are_one_line_and_the_longest_run_stands_first() -> None:
    def group(name: str, run: int, error: str, *, completed: int = 50) -> list[Row]:
        calm = [t("COMPLETED", n, n + 1, function_name=name) for n in range(completed)]
        return calm + [t("FAILED", 1000 + n, 1001 + n, function_name=name, error=error) for n in range(run)]

    tasks = [
        *group("KMEANS", 3, "no space"),
        *group("REMOTE", 7, "no space"),
        *group("AGENT", 5, "boom"),
        *group("FIT_RCF", 1, "broken", completed=0),  # a single failure, and nothing beside it
    ]
    table = found(made(*tasks))
    assert table[["kind", "subject", "count"]].to_numpy().tolist() == [
        ["failing", "TRAINING / REMOTE, KMEANS", 7],
        ["failing", "TRAINING / AGENT", 5],
    ]
    assert table["reason"][0].startswith("up to 7 failed in a row since ")
    assert table["command"][0] == "mltasks failures here --task-type TRAINING --function-name REMOTE,KMEANS"


def test_groups_of_one_error_that_is_not_common_enough_stand_alone() -> None:
    tasks = [
        t("FAILED", n, n + 1, function_name=name, error="same" if n < 7 else f"other {chr(97 + n)}")
        for name in ("KMEANS", "REMOTE")
        for n in range(10)
    ]
    table = found(made(*tasks))
    assert table["subject"].tolist() == ["TRAINING / KMEANS", "TRAINING / REMOTE"]
    assert table["reason"].str.endswith(" UTC").all()  # no error is that of the group


def test_cancelled_tasks_are_said_beside_those_that_failed() -> None:
    tasks = [t("FAILED", 0, 1), t("FAILED", 2, 3), t("CANCELLED", 0, 1), t("CANCELLED", 0, 1)]
    ((_, _, reason),) = lines(*tasks)
    assert reason.startswith("2 failed, 2 cancelled and none succeeded since ")


def test_data_that_is_incomplete_or_old_is_said_first() -> None:
    tasks = made(t("FAILED", 0, 1), t("FAILED", 0, 1))
    tasks = Made(tasks.rows, metadata.replace(tasks.context, complete=False, readings=tasks.context.readings[:1]))
    late = datetime.fromtimestamp((AS_OF + DAY) / 1000 + 1, UTC)
    assert found(tasks, now=late)["kind"].tolist() == ["incomplete", "old", "never_succeeded"]
    assert found(tasks)["kind"].tolist() == ["incomplete", "never_succeeded"]
    (row,) = found(tasks, now=late).query("kind == 'old'").to_dict("records")
    assert row["reason"] == (
        "the data is old: read at 2025-03-07 02:00 UTC, more than a day ago; every 'ago' counts back from then"
    )
    assert row["subject"] == "east"
    both = found(made(t("COMPLETED", 0, 1)), now=late)
    assert both["reason"].tolist() == [row["reason"], "the data is old: read more than a day ago"]


def test_data_of_an_assumed_time_of_the_past_or_judged_at_a_given_time_is_not_called_old() -> None:
    late = datetime.fromtimestamp((AS_OF + 9 * DAY) / 1000, UTC)
    assumed = ClusterInfo(cluster="east", as_of_ms=AS_OF, as_of_assumed=True)
    tasks = made(t("COMPLETED", 0, 1))
    assert found(tasks, assumed, now=late).empty
    assert mltasks.highlights(tasks.pandas(), as_of=AS_OF).empty
    assert mltasks.highlights(tasks.pandas(), until=AS_OF).empty
    assert mltasks.highlights(tasks.pandas())["kind"].tolist() == ["old", "old"]  # of two clusters


def test_lost_overdue_and_suspect_tasks_are_one_line_per_type_with_the_oldest_and_its_evidence() -> None:
    early, late = {"create_time": AS_OF - 2 * HOUR}, {"create_time": AS_OF - HOUR}
    tasks = made(
        {**late, "state": "RUNNING", "worker_node": ["n-9"], "task_id": "gone"},
        {**early, "state": "RUNNING", "task_id": "old", "function_name": "FIT_RCF", "task_type": "DEPLOY_MODEL"},
        {**late, "state": "CREATED", "task_id": "young", "task_type": "DEPLOY_MODEL"},
        {**late, "state": "RUNNING", "task_type": "BATCH_PREDICTION"},
    )
    table = found(tasks, ClusterInfo(cluster="east", as_of_ms=AS_OF, nodes={"n-1": Node("alpha")}))
    assert table[["kind", "subject", "count", "example_task_id"]].to_numpy().tolist() == [
        ["lost", "TRAINING", 1, "gone"],
        ["overdue", "DEPLOY_MODEL", 2, "old"],
    ]
    assert table["reason"].tolist() == [
        "1 lost: n-9 not in the cluster 02:00:00, task created 01:00:00",
        "2 overdue, the oldest: created 00:00:00, an assumed time-out of 600 s was over 00:10:00",
    ]
    assert [since.value // 10**6 for since in table["since"]] == [AS_OF - HOUR, AS_OF - 2 * HOUR]
    assert table["command"][1] == "mltasks unfinished here --task-type DEPLOY_MODEL --by task_type"


MODELS = {
    "m1": Model(name="mini", state="DEPLOY_FAILED"),
    "m2": Model(name="maxi", state="DEPLOY_FAILED"),
    "m3": Model(name="solo", state="DEPLOYED", planned_nodes=1, current_nodes=1, serving=()),
    "m4": Model(name="fine", state="DEPLOYED", planned_nodes=1, current_nodes=1, serving=("n-1",)),
}


def test_models_that_are_down_with_one_error_are_one_line() -> None:
    def deploy(model: str, second: int, state: str = "FAILED", **fields: Any) -> Row:
        more = {"task_type": "DEPLOY_MODEL", "function_name": "REMOTE", "model_id": model, "worker_node": ["n-1"]}
        return t(state, second, second + 1, **more, task_id=f"{model}-{second}", **fields)

    tasks = [
        *(deploy("m1", n, error="no route to 10.0.0.1") for n in range(2)),
        deploy("m2", 9, error="no route to 10.0.0.2"),
        *(deploy("m3", n, "COMPLETED") for n in range(2)),
        deploy("m4", 99, "COMPLETED"),
    ]
    info = ClusterInfo(cluster="east", as_of_ms=AS_OF, model_index=MODELS)
    table = found(made(*tasks), info)
    assert table[["kind", "subject", "count", "example_task_id"]].fillna("").to_numpy().tolist() == [
        ["model_down", "mini, maxi", 2, "m1-1"],
        ["model_down", "solo", 1, ""],
    ]
    first, second = table["reason"]
    assert first.startswith("2 down, state DEPLOY_FAILED, up to 2 failed in a row since ")
    assert first.endswith(" UTC: no route to <host>")
    assert second == "1 stale, state DEPLOYED"
    assert table["command"][0] == "mltasks models here --model m1,m2"


@pytest.mark.parametrize(("hours", "silent"), [(24, False), (26, True)])
def test_silence_is_longer_than_a_day_and_ten_times_the_usual_gap(hours: int, silent: bool) -> None:
    tasks = [{"create_time": AS_OF - hours * HOUR - n * MINUTE, "cluster": "west"} for n in range(200)]
    tasks += [{"create_time": AS_OF - n * MINUTE, "cluster": "east"} for n in range(200)]
    assert [line[:2] for line in lines(*tasks)] == ([("silence", "west")] if silent else [])
    rare = [{"create_time": AS_OF - hours * HOUR - n * 3 * HOUR} for n in range(200)]  # 10 x 3 h is longer
    assert lines(*rare) == []
    few = [{"create_time": AS_OF - 9 * DAY - n} for n in range(100)]
    assert lines(*few) == []


def test_silence_names_its_last_task_and_a_window_that_ends_is_not_silent() -> None:
    tasks = [{"create_time": AS_OF - 2 * DAY - n * MINUTE, "task_id": f"id-{n}"} for n in range(200)]
    (row,) = found(made(*tasks)).to_dict("records")
    assert (row["example_task_id"], row["since"].value // 10**6) == ("id-0", AS_OF - 2 * DAY)
    assert found(made(*tasks), until=AS_OF - 2 * DAY + HOUR).empty


def test_what_got_worse_is_told_of_the_window_against_the_time_before_it() -> None:
    def tasks(failing_from: int) -> Made:
        rows = [
            {"create_time": AS_OF - n * HOUR, "state": "FAILED" if n % 3 == 1 and n < failing_from else "COMPLETED"}
            for n in range(15 * 24)
        ]
        return made(*rows)

    assert "worse" in set(found(tasks(4 * 24), since="5d")["kind"])
    assert "worse" not in set(found(tasks(15 * 24), since="5d")["kind"])
    (row,) = found(tasks(4 * 24), since="5d").query("kind == 'worse'").to_dict("records")
    assert row["command"] == (
        "mltasks compare here --since 2025-03-02T02:00:00.000Z --until 2025-03-07T02:00:00.000Z --against previous"
    )
    early = found(tasks(4 * 24), since="10d")
    assert "what fails more or is slower cannot be told: no task of as long a time before is known" in notes(early)


def test_the_kinds_come_in_the_order_of_their_weight() -> None:
    tasks = busy(1)
    table = found(tasks, as_of=AS_OF)
    assert table["kind"].tolist() == sorted(table["kind"], key=KINDS.index)
    assert len(set(table["kind"])) > 3
    pd.testing.assert_frame_equal(mltasks.highlights(tasks.dataset(), as_of=AS_OF, now=NOW), table)


def test_a_command_is_quoted_for_a_shell_and_leaves_out_what_no_filter_can_say() -> None:
    commands = Commands("my tasks.parquet", {"since": "2026-11-20T00:00:00.000Z", "cluster": ["a b"]})
    assert commands.show("failures", function_name="it's") == (
        "mltasks failures 'my tasks.parquet' --since 2026-11-20T00:00:00.000Z --cluster 'a b' "
        "--function-name 'it'\"'\"'s'"
    )
    for value in ("a,b", None, "", "-x", float("nan")):
        assert Commands("demo", {}).show("failures", function_name=value) == "mltasks failures demo"
    assert Commands("demo, west", {}).show("failures") == "mltasks failures demo west"
    assert Commands("a DataFrame", Context(source="").filters).show("failures") == "mltasks failures SOURCE"


@pytest.fixture
def mltasks_command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)
