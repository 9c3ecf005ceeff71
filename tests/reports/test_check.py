from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from junitparser import JUnitXml
from prometheus_client.openmetrics import parser

import mltasks
from mltasks.exceptions import UsageError
from mltasks.render import check_results
from mltasks.reports import unfinished
from mltasks.reports.check import Result, check
from mltasks.reports.registry import REPORTS
from mltasks.reports.rules import NUMBERS, Rule, load_rules, parse_rule, starter
from support.generated import AS_OF, HOUR, made

NOW = datetime.fromtimestamp(AS_OF / 1000, UTC)


def tasks_of(completed: int, failed: int, **fields: Any) -> list[dict[str, Any]]:
    states = ["COMPLETED"] * completed + ["FAILED"] * failed
    return [
        {"create_time": AS_OF - HOUR + n, "last_update_time": AS_OF - HOUR + n + 1, "state": state, **fields}
        for n, state in enumerate(states)
    ]


def both(tasks: list[dict[str, Any]], *rules: Rule) -> list[Result]:
    """Return the results, which are the same on both engines; they may add in another order, hence 1e-9."""
    results = check(made(*tasks).pandas(), rules, now=NOW)
    on_duckdb = check(made(*tasks).dataset(), rules, now=NOW)
    pd.testing.assert_frame_equal(pd.DataFrame(on_duckdb), pd.DataFrame(results), rtol=1e-9)
    return results


@pytest.mark.parametrize(
    ("failed", "limit", "verdict"),
    [
        (3, {"max": 0.2}, "ok"),  # 3 of 10: Wilson's interval begins at 0.108
        (8, {"max": 0.2}, "breached"),  # 8 of 10: at 0.49
        (0, {"min": 0.1}, "ok"),  # ends at 0.28
        (0, {"min": 0.5}, "breached"),
    ],
)
def test_a_rate_is_in_breach_where_the_nearer_end_of_its_interval_is_past_the_limit(
    failed: int, limit: dict[str, float], verdict: str
) -> None:
    rule = Rule("rate", "failure_rate", by=(), **limit)  # type: ignore[arg-type]  # limits are numbers
    (result,) = both(tasks_of(10 - failed, failed), rule)
    assert (result.verdict, result.value, result.tasks) == (verdict, failed / 10, 10)
    assert result.low is not None
    assert result.high is not None
    assert result.low <= failed / 10 <= result.high


def test_few_tasks_are_no_data_and_no_data_is_what_the_rule_says() -> None:
    for choice, verdict in (("ok", "no data"), ("breach", "breached")):
        rule = Rule("rate", "failure_rate", by=(), max=0.2, min_tasks=20, on_no_data=choice)
        (result,) = both(tasks_of(0, 10), rule)
        assert (result.verdict, result.value) == (verdict, None)


def test_a_rule_looks_at_each_group_and_at_what_its_filters_leave() -> None:
    tasks = [*tasks_of(0, 10, function_name="A"), *tasks_of(10, 0, function_name="B")]
    rule = Rule("rate", "failure_rate", by=("function_name",), max=0.2)
    assert [(result.group, result.verdict) for result in both(tasks, rule)] == [("A", "breached"), ("B", "ok")]
    (result,) = both(tasks, Rule("rate", "failure_rate", by=(), max=0.2, where={"function_name": "b"}))
    assert result.verdict == "ok"
    assert both(tasks, Rule("rate", "failure_rate", by=(), max=0.2, window="30m"))[0].value is None


def test_a_duration_a_count_of_rows_and_the_age_of_the_data() -> None:
    slow = {"last_update_time": AS_OF - HOUR + 60_000}
    (result,) = both(tasks_of(12, 0, **slow), Rule("slow", "p50_s", report="durations", by=(), max=30.0))
    assert (result.verdict, result.tasks) == ("breached", 12)
    assert result.value == pytest.approx(60, abs=0.1)
    rows = Rule("errors", "rows", report="errors", equals={"cause": "network"}, max=0)
    assert both(tasks_of(1, 1, error="Connection refused"), rows)[0].verdict == "breached"
    assert both(tasks_of(1, 1, error="strange"), rows)[0].verdict == "ok"
    age = Rule("age", "data_age_s", max=60)
    late = datetime.fromtimestamp(AS_OF / 1000 + 61, UTC)
    assert check(made().pandas(), [age], now=NOW)[0].verdict == "ok"
    (result,) = check(made().pandas(), [age], now=late)
    assert result.sentence() == "data_age_s is 61 (1m01s), to be at most 60 (1m00s)"
    assert (result.verdict, json.loads(check_results.to_json([result]))["results"][0]["value"]) == ("breached", 61.0)


def test_a_group_that_has_been_failing_for_too_long() -> None:
    rule = Rule("failing", "failing_s", by=(), max=1800, min_tasks=3)
    assert both(tasks_of(3, 3), rule)[0].verdict == "breached"
    assert [(r.verdict, r.value) for r in both(tasks_of(3, 2), rule)] == [("ok", 0.0)]  # fewer than min_tasks
    assert [(r.verdict, r.value) for r in both([], rule)] == [("no data", None)]
    healthy = [*tasks_of(3, 3), {"create_time": AS_OF - 10, "last_update_time": AS_OF, "state": "COMPLETED"}]
    assert not any(result.is_breach for result in both(healthy, rule))


def test_the_starter_file_holds_on_a_healthy_cluster(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(starter())
    rules = load_rules(path)
    assert [rule.name for rule in rules] == [
        *("no task is lost", "no model is down", "nothing fails for longer than an hour"),
        *("no new error", "the data is of today"),
    ]
    assert not [result for result in both(tasks_of(50, 2), *rules) if result.is_breach]
    real = [result for result in check(mltasks.load("demo"), rules) if result.is_breach]
    assert [result.rule for result in real] == ["the data is of today"]  # which it is not


def test_too_many_open_tasks_to_find_the_lost_ones_are_no_reason_to_call_it_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = Rule("lost", "rows", report="unfinished", equals={"verdict": "lost"}, max=0)
    waiting = Rule("waiting", "rows", report="unfinished", equals={"verdict": "waiting"}, max=100)
    tasks = mltasks.load("demo")
    assert [(r.verdict, r.value) for r in check(tasks, [lost, waiting])] == [("no data", None), ("ok", 27)]
    monkeypatch.setattr(unfinished, "MOST", 32)  # enough for all but the batch predictions
    assert [(r.verdict, r.value) for r in check(tasks, [lost, waiting])] == [("no data", None), ("breached", None)]
    monkeypatch.setattr(unfinished, "MOST", 5)
    (result,) = check(tasks, [lost])
    assert result.sentence() == (
        "rows: no data, which tasks are lost, overdue or suspect cannot be told: 33 open tasks are more than 5; "
        "choose some with since or task_type; to be at most 0"
    )
    assert (result.verdict, result.value) == ("breached", None)


def test_what_cannot_be_told_is_no_data_and_said_where_it_could_change_the_verdict() -> None:
    tasks = mltasks.load("demo")  # of which neither starts of nodes nor the index of models is known, nor a past
    lost: dict[str, Any] = {"report": "unfinished", "equals": {"verdict": "lost"}}
    down: dict[str, Any] = {"report": "models", "equals": {"verdict": ["down", "given_up"]}}
    new: dict[str, Any] = {"report": "errors", "equals": {"status": "new"}}
    wanted = [
        (Rule("a", "rows", max=0, **lost), "no data"),  # 6 may be lost
        (Rule("b", "rows", max=5, **lost), "no data"),
        (Rule("c", "rows", max=6, **lost), "ok"),
        (Rule("d", "rows", max=0, on_no_data="breach", **lost), "breached"),
        (Rule("e", "rows", max=0, **down), "no data"),
        (Rule("f", "rows", max=66, **down), "ok"),
        (Rule("g", "rows", max=0, report="models", equals={"verdict": "unknown"}), "breached"),
        (Rule("h", "rows", max=0, **new), "no data"),
        (Rule("i", "rows", max=0, report="errors", equals={"status": "gone"}), "ok"),
    ]
    results = check(tasks, [rule for rule, _ in wanted])
    assert [result.verdict for result in results] == [verdict for _, verdict in wanted]
    text = check_results.to_text(results)
    assert "no data: e: the index of models is not part of what was read\n" in text
    assert "no data: h: what is new cannot be told: the tasks reach back less than twice 7d\n" in text
    assert "error: d: rows: no data, when the nodes of ml-fixture were started is not part of what was read: " in text


def test_what_is_new_is_told_of_a_shorter_history_as_highlights_tell_it() -> None:
    tasks = [
        *({"create_time": AS_OF - day * 24 * HOUR, "state": "FAILED", "error": "old"} for day in range(1, 7)),
        {"create_time": AS_OF - HOUR, "state": "FAILED", "error": "disk full"},
    ]
    (result,) = both(tasks, Rule("new", "rows", report="errors", equals={"status": "new"}, max=0))
    assert (result.verdict, result.value) == ("breached", 1)
    assert (mltasks.highlights(made(*tasks).pandas(), now=NOW)["kind"] == "new_error").sum() == 1


def test_a_run_of_failures_that_is_usual_for_its_group_is_no_failing() -> None:
    rule = Rule("failing", "failing_s", by=(), max=1800, min_tasks=3)
    states = ["FAILED" if n % 5 < 2 else "COMPLETED" for n in range(100)] + ["FAILED"] * 3
    tasks = [
        {"create_time": AS_OF - HOUR - 200 + n, "last_update_time": AS_OF - HOUR - 199 + n, "state": state}
        for n, state in enumerate(states)
    ]
    assert [(r.verdict, r.value) for r in both(tasks, rule)] == [("ok", 0.0)]
    tasks += [{"create_time": AS_OF - HOUR, "last_update_time": AS_OF - HOUR + 1, "state": "FAILED"}] * 4
    assert [(r.verdict, r.tasks) for r in both(tasks, rule)] == [("breached", 7)]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_can_be_measured_with_and_without_a_window(name: str) -> None:
    measure = [column.name for column in REPORTS[name].columns if column.kind in NUMBERS][-1]
    rules = [
        parse_rule({"name": f"{each} {more}", "report": name, "measure": each, "max": 10**9, **more}, "rule")
        for each in ("rows", measure)
        for more in ({}, {"window": "10m"})
    ]
    results = check(mltasks.scan("demo"), rules)
    assert not [result for result in results if result.is_breach]
    assert {result.value is None for result in results if result.measure == "rows"} == {False}


def test_an_error_of_a_report_names_the_rule() -> None:
    rule = parse_rule({"name": "trainings", "measure": "tasks", "max": 1, "where": {"task_type": "TRAINNG"}}, "rule")
    with pytest.raises(UsageError, match="rule 'trainings': task_type: no task has 'trainng'; did you mean TRAINING"):
        check(mltasks.load("demo"), [rule])


GOOD = {"name": "x", "measure": "failure_rate", "max": 0.2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name is missing"),
        ({"mesure": 1}, "there is no 'mesure'; there are name, measure"),
        ({"report": "failure"}, "there is no report 'failure'; there are highlights, timeline, failures"),
        ({"measure": "p95_s"}, "failures has no measure 'p95_s'; there are tasks"),
        ({"max": "20%"}, "max = '20%' is no number"),
        ({"max": True}, "max = True is no number"),
        ({"min": 1}, "min = 1 is more than max = 0.2; swap them"),
        (
            {"equals": {"verdict": "lost"}},
            "equals: failures has no column 'verdict'; there are task_type, function_name",
        ),
        (
            {"report": "unfinished", "measure": "rows", "equals": {"verdict": ["lost", "lsot"]}},
            "equals: no verdict is 'lsot'; there are finished_unrecorded, waiting, lost",
        ),
        ({"max": float("nan")}, "max = nan is no limit; write a number"),
        ({"min": float("-inf")}, "min = -inf is no limit; write a number"),
        ({"by": "state"}, r"by = 'state' is no list; write \["),
        ({"on_no_data": "fail"}, "on_no_data is 'fail'; write ok or breach"),
    ],
)
def test_a_rule_that_cannot_be_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_rule(GOOD | change, "rules: r.toml, rule 1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "is no TOML"),
        ("x = 1", "has no .*rule.* entries"),
        ("[[rule]]\nname = 'x'\nmeasure = 'tasks'\n", "neither min nor max"),
        ("[[rule]]\nname = 'x'\nmeasure = 'tasks'\nmax = 1\n" * 2, "two rules called 'x'"),
    ],
)
def test_a_file_of_rules_that_cannot_be_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(content)
    with pytest.raises(UsageError, match=rf"rules\.toml.*{message}"):
        load_rules(path)


@pytest.fixture
def results() -> list[Result]:
    tasks = [
        *tasks_of(0, 10, function_name='quoted "A"\\n'),
        *tasks_of(10, 0, function_name="B"),
        {"function_name": None, "state": "RUNNING", "create_time": AS_OF},
    ]
    rules = [
        Rule("rate", "failure_rate", by=("function_name",), max=0.2, severity="warning"),
        Rule("none", "failure_rate", by=(), max=0.2, min_tasks=100),
    ]
    return both(tasks, *rules)


def test_text_names_the_breach_and_the_rule_that_holds(results: list[Result]) -> None:
    assert check_results.to_text(results).splitlines() == [
        'warning: rate: failure_rate of quoted "A"\\n is 1 (0.722 to 1), to be at most 0.2, 10 tasks',
        "no data: none",
        "2 rules, 1 breach, 1 without data",
    ]


def test_json_has_every_result(results: list[Result]) -> None:
    content = json.loads(check_results.to_json(results))
    assert content["ok"] is False
    assert [row["verdict"] for row in content["results"]] == ["ok", "breached", "no data"]
    assert content["results"][1]["low"] == pytest.approx(0.722, abs=0.001)


def test_a_junit_parser_reads_it_back(results: list[Result]) -> None:
    (suite,) = JUnitXml.fromstring(check_results.to_junit(results).encode())
    assert (suite.tests, suite.failures, suite.skipped) == (3, 1, 1)
    cases = {case.name: case for case in suite}
    assert cases['rate: quoted "A"\\n'].result[0].message.startswith("failure_rate of quoted")
    assert cases["rate: B"].is_passed
    assert cases["none"].is_skipped


def test_prometheus_reads_the_metrics_back(results: list[Result]) -> None:
    read: Any = parser.text_string_to_metric_families  # which has no types
    families = {each.name: each for each in read(check_results.to_openmetrics(results))}
    breached = {sample.labels["group"]: sample.value for sample in families["mltasks_check_breached"].samples}
    assert breached == {'quoted "A"\\n': 1.0, "B": 0.0, "": 0.0}
    values = {sample.labels["group"]: sample.value for sample in families["mltasks_check_value"].samples}
    assert values == {'quoted "A"\\n': 1.0, "B": 0.0}
    (low,) = (s.value for s in families["mltasks_check_value_low"].samples if s.labels["group"] != "B")
    assert low == pytest.approx(0.722, abs=0.001)
    no_data = {sample.labels["group"]: sample.value for sample in families["mltasks_check_no_data"].samples}
    assert no_data == {'quoted "A"\\n': 0.0, "B": 0.0, "": 1.0}


def test_a_rule_of_rows_names_the_first_of_them() -> None:
    new = Rule("open", "rows", report="unfinished", max=2)
    tasks = [{"task_id": f"t{n}", "create_time": AS_OF - 60_000 + n, "state": "RUNNING"} for n in range(5)]
    (result,) = both(tasks, new)
    assert result.sentence() == "rows is 5 (t0; t1; t2; ...), to be at most 2"
    (result,) = both(tasks_of(3, 2), Rule("groups", "rows", max=0))
    assert result.sentence() == "rows is 1 (TRAINING, KMEANS), to be at most 0"


def test_the_rules_of_real_tasks() -> None:
    rule = Rule("rate", "failure_rate", max=0.5, min_tasks=5)
    breaches = {result.group for result in check(mltasks.load("demo"), [rule]) if result.is_breach}
    assert breaches == {
        *("DEPLOY_MODEL, FIT_RCF", "DEPLOY_MODEL, KMEANS", "DEPLOY_MODEL, LOGISTIC_REGRESSION"),
        "DEPLOY_MODEL, TEXT_EMBEDDING",
    }
