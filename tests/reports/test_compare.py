from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import compare_evidence, report_info
from mltasks.reports.statistics import change
from support import labelled
from support.generated import AS_OF, DAY, HOUR, made

INTERVALS = {  # of the changes in points, for all 14 comparisons together
    ("TRAINING", "LOGISTIC_REGRESSION"): (12.0, 3.5, 21.0),
    ("DEPLOY_MODEL", "REMOTE"): (-14.5, -27.6, -2.3),
    ("TRAINING", "LINEAR_REGRESSION"): (8.9, -30.4, 44.9),
}


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    table = mltasks.compare(mltasks.scan(str(labelled.PATH)), split="2026-11-14")
    expected = mltasks.compare(labelled.load(), split="2026-11-14")
    pd.testing.assert_frame_equal(table, expected)
    return table.set_index(["task_type", "function_name"])


def row_of(table: pd.DataFrame, key: Any) -> dict[str, Any]:
    return {str(name): value for name, value in table.loc[[key]].iloc[0].to_dict().items()}


def test_the_planted_changes_are_found_and_the_burst_is_unclear(planted: pd.DataFrame) -> None:
    assert planted["verdict"].to_dict() == {
        ("AGENT_EXECUTION", "AGENT"): "worse",
        ("DEPLOY_MODEL", "REMOTE"): "better",
        ("DEPLOY_MODEL", "TEXT_EMBEDDING"): "too few",
        ("REGISTER_MODEL", "TEXT_EMBEDDING"): "worse",
        ("TRAINING", "FIT_RCF"): "worse?",
        ("TRAINING", "KMEANS"): "same",
        ("TRAINING", "LINEAR_REGRESSION"): "unclear",
        ("TRAINING", "LOGISTIC_REGRESSION"): "worse",
    }
    row = row_of(planted, ("TRAINING", "LOGISTIC_REGRESSION"))
    assert [round(row[name], 3) for name in ("rate_before", "rate_after", "rate_change")] == [0.037, 0.157, 0.12]
    assert f"{row['changed']:%m-%d %H:%M}" == "11-14 00:40"
    assert row["evidence"] == ("failure rate 3.7% -> 15.7%: +12.0 points (+7.1 to +17.2), since 2026-11-14 00:40 UTC")
    row = row_of(planted, ("DEPLOY_MODEL", "REMOTE"))
    assert [round(row[name], 3) for name in ("rate_before", "rate_after", "rate_change")] == [0.175, 0.03, -0.145]
    row = row_of(planted, ("AGENT_EXECUTION", "AGENT"))
    assert [row[f"p95_ratio{end}"] for end in ("", "_low", "_high")] == pytest.approx([3.8, 1.83, 5.25], abs=0.02)
    assert row["p50_ratio"] == pytest.approx(1.15, abs=0.01)
    row = row_of(planted, ("REGISTER_MODEL", "TEXT_EMBEDDING"))
    assert (row["p50_verdict"], round(row["p50_ratio"], 2)) == ("worse", 1.78)
    row = row_of(planted, ("TRAINING", "LINEAR_REGRESSION"))
    assert [row["rate_before"], row["rate_after"]] == pytest.approx([0.047, 0.135], abs=0.001)
    assert row["design_effect"] == pytest.approx(15.7, abs=0.1)
    assert row["rate_change_low"] < 0 < row["rate_change_high"]
    assert pd.isna(row["changed"])


def test_rates_and_medians_are_the_comparisons_that_a_verdict_holds_for_together() -> None:
    notes = report_info.read_info(mltasks.compare(labelled.load(), split="2026-11-14")).notes
    assert "worse and better hold for all 14 comparisons together; with a ? for the one alone" in notes


def test_the_last_week_against_the_one_before_is_a_split_between_them(planted: pd.DataFrame) -> None:
    options: dict[str, Any] = {"since": "2026-11-14", "until": "2026-11-21", "against": "previous"}
    result = mltasks.compare(labelled.load(), **options)
    table = result.set_index(["task_type", "function_name"])
    assert table["verdict"].to_dict() == planted["verdict"].to_dict()
    for kind, points in INTERVALS.items():
        row = row_of(table, kind)
        before, after = (
            (int(row[f"failed_{side}"]), round(row[f"failed_{side}"] / row[f"rate_{side}"]))
            for side in ("before", "after")
        )
        strict = change.rate_difference(before, after, row["design_effect"], change.quantile_at(1 - 0.05 / 14))
        assert [100 * end for end in strict] == pytest.approx(points, abs=0.15)
    notes = report_info.read_info(result).notes
    assert (
        "before: created 2026-11-07T00:00:00.000Z to 2026-11-14T00:00:00.000Z; "
        "after: created 2026-11-14T00:00:00.000Z to 2026-11-21T00:00:00.000Z"
    ) in notes


def test_the_function_that_fails_on_one_node_is_found() -> None:
    table = mltasks.compare(labelled.load(), node="nodec").set_index("function_name")
    assert table.loc["FIT_RCF", "verdict"] == "worse?"
    assert (table["verdict"] == "worse?").sum() == 1
    assert table["changed"].isna().all()
    scanned = mltasks.compare(mltasks.scan(str(labelled.PATH)), node="nodec").set_index("function_name")
    pd.testing.assert_frame_equal(scanned, table)


@pytest.mark.parametrize("options", [{"split": "2026-11-24 22:05"}, {"node": "n1"}, {"by": []}, {}], ids=str)
def test_the_real_tasks_are_too_few_to_be_clear_and_that_is_said_once(options: dict[str, Any]) -> None:
    table = mltasks.compare(mltasks.load("demo"), **options)
    pd.testing.assert_frame_equal(mltasks.compare(mltasks.scan("demo"), **options), table)
    assert not set(table["verdict"]) & {"worse", "better"}
    notes = [note for note in report_info.read_info(table).notes if note.startswith("too little data to tell")]
    assert len(notes) == 1


def tasks_at(hours: list[int], **fields: Any) -> list[dict[str, Any]]:
    return [
        {"create_time": AS_OF - hour * HOUR, "last_update_time": AS_OF - hour * HOUR + 1000, **fields} for hour in hours
    ]


def test_a_group_on_one_side_only() -> None:
    tasks = made(
        *tasks_at([30, 31], function_name="OLD", state="FAILED"), *tasks_at([1], function_name="NEW", state="COMPLETED")
    )
    table = mltasks.compare(tasks.pandas(), by="function_name", split=AS_OF - DAY).set_index("function_name")
    assert table["verdict"].to_dict() == {"NEW": "only after", "OLD": "only before"}
    row = row_of(table, "OLD")
    assert [row[name] for name in ("tasks_before", "failed_before", "tasks_after")] == [2, 2, 0]
    assert row["evidence"] == "2 tasks before, 0 after"


def test_many_open_tasks_make_the_median_one_of_all_tasks() -> None:
    completed = [
        {"create_time": AS_OF - HOUR * n, "last_update_time": AS_OF - HOUR * n + 1000 * n, "state": "COMPLETED"}
        for n in [*range(1, 13), *range(25, 37)]
    ]
    open_ = tasks_at([1] * 12, state="RUNNING", task_type="AGENT_EXECUTION")
    for task in completed:
        task["task_type"] = "AGENT_EXECUTION"
    (row,) = mltasks.compare(made(*completed, *open_).pandas(), by=[], split=AS_OF - DAY).to_dict("records")
    assert (row["p50_before_s"], row["p50_after_s"]) == (30.0, 12.0)  # of the completed ones alone it is 30.5 and 6.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "2027-01-01"}, "split 2027-01-01.* leaves no time on one side"),
        ({"split": "2026-11-24 22:05", "node": "n1"}, "three ways to compare"),
        ({"against": "previous"}, "against needs since"),
        ({"since": "1h", "against": "1m"}, "against must begin before since"),
        ({"node": "n7"}, "no task ran on a node 'n7'; there are n1, n2, n3"),
        ({"node": "n1", "by": "worker_node"}, "leave worker_node out of by"),
        ({"split": "soon"}, "split: cannot read 'soon'"),
    ],
)
def test_what_cannot_be_compared_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mltasks.compare(mltasks.load("demo"), **options)


def test_a_small_rate_never_reads_zero_nor_its_change() -> None:
    row = {"verdict": "worse?", "rate_verdict": "worse?", "rate_before": 0.0004, "rate_after": 0.0, "changed": None}
    changes = {"rate_change": -0.0004, "rate_change_low": -0.0009, "rate_change_high": 0.0, "changed": float("nan")}
    assert compare_evidence.describe({**row, **changes}) == ("failure rate <0.1% -> 0%: -0.04 points (-0.09 to +0.0)")
