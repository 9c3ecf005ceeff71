from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import deployments, report_info
from mltasks.reports.model_verdict import Verdict, find_verdict
from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Model, Node
from support.generated import AS_OF, HOUR, made

SOURCES: list[Callable[[str], Any]] = [mltasks.load, mltasks.scan]
MINUTE = 60_000


def deploy(ms: int, state: str = "COMPLETED", model_id: str = "m1", error: str | None = None) -> dict[str, Any]:
    times = {"create_time": ms, "last_update_time": ms + 1000}
    return {
        **times,
        "task_type": "DEPLOY_MODEL",
        "function_name": "REMOTE",
        "state": state,
        "model_id": model_id,
        "error": error,
    }


def both(*tasks: dict[str, Any], info: ClusterInfo | None = None, **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    frame, dataset = made(*tasks).pandas(), made(*tasks).dataset()
    if info is not None:
        ctx = Context(source="here", readings=(info,))
        frame.attrs = {metadata.KEY: ctx.to_json()}
        dataset = type(dataset)(dataset.frame, ctx)
    expected = mltasks.models(frame, **options)
    pd.testing.assert_frame_equal(mltasks.models(dataset, **options), expected)
    return expected


@pytest.mark.parametrize("source", SOURCES)
def test_the_models_of_real_tasks(source: Callable[[str], Any]) -> None:
    table = mltasks.models(source("demo"))
    assert len(table) == 66
    assert table["last_outcome"].value_counts().to_dict() == {"failed": 42, "succeeded": 23, "partial": 1}
    assert set(table["verdict"]) == {"unknown"}
    rows = table.set_index("model_id")
    partial = rows[rows["last_outcome"] == "partial"]
    assert list(partial.index) == ["FHCVD6IBiXUMJeGlpdNB"]
    assert partial["last_error"].iloc[0] == "n1, n2: exceed max running task limit"
    worst = rows.loc["orOPD6IB9vLLZ4ULaCNz"]
    assert (worst["deploys"], worst["failed"], worst["failures_in_a_row"]) == (4, 4, 4)
    assert rows["last_success"].isna()["orOPD6IB9vLLZ4ULaCNz"]
    assert rows["failing_since"].notna()["orOPD6IB9vLLZ4ULaCNz"]
    assert rows["deploys"].to_dict()["-IuTD6IBgq5QguZj9Db9"] == 7
    assert rows["switches"].sum() == 0
    assert rows["redeploys"].isna().all()
    notes = report_info.read_info(table).notes
    assert any("the index of models is not part of what was read" in note for note in notes)
    assert "192 trained models never deployed: without a row" in notes


def test_failures_count_from_the_newest_completed_deployment_on() -> None:
    states = ["FAILED", "COMPLETED", "FAILED", "COMPLETED", "CANCELLED", "FAILED", "FAILED"]
    (row,) = both(*(deploy(AS_OF - HOUR + n * MINUTE, state) for n, state in enumerate(states))).to_dict("records")
    assert (row["deploys"], row["failed"], row["failures_in_a_row"], row["switches"]) == (7, 4, 2, 4)
    assert row["last_success"].value // 10**6 == AS_OF - HOUR + 3 * MINUTE + 1000
    assert row["failing_since"].value // 10**6 == AS_OF - HOUR + 5 * MINUTE
    assert row["last_outcome"] == "failed"


def test_what_the_index_of_models_says_stands_beside_the_deployments() -> None:
    model = Model(
        name="mini",
        function_name="TEXT_EMBEDDING",
        state="PARTIALLY_DEPLOYED",
        planned_nodes=3,
        current_nodes=2,
        redeploy_retries=1,
        serving=("n1", "n2"),
        predict_p50_ms=55.5,
    )
    nodes = {"n1": Node("one", ("data",), AS_OF - 2 * HOUR), "n2": Node("two", ("data",), AS_OF - HOUR)}
    silent = Model(name="silent", state="DEPLOYED", planned_nodes=1, current_nodes=1, serving=("n1",))
    info = ClusterInfo(
        as_of_ms=AS_OF, nodes=nodes, model_index={"m1": model, "m2": silent, "m3": Model(name="raw", state="TRAINED")}
    )
    open_job = {"create_time": AS_OF - HOUR, "task_type": "BATCH_PREDICTION", "state": "RUNNING", "model_id": "m1"}
    tasks = deploy(AS_OF - HOUR + MINUTE), deploy(AS_OF - HOUR + 11 * MINUTE), open_job
    first, second = both(*tasks, info=info).to_dict("records")
    assert (first["model_id"], first["name"], first["verdict"]) == ("m1", "mini", "partial")
    assert (first["planned"], first["current"], first["serving"], first["retries"]) == (3, 2, 2, 1)
    assert (first["deploys"], first["redeploys"], first["open_jobs"], first["predict_p50_ms"]) == (2, 1, 1, 55.5)
    assert (second["model_id"], second["verdict"], second["deploys"]) == ("m2", "up", 0)


STATES: list[tuple[Model | None, str | None, Verdict]] = [
    (None, "failed", "unknown"),
    (Model(name="m"), "failed", "unknown"),
    (Model(name="m", state="DEPLOY_FAILED"), "succeeded", "down"),
    (Model(name="m", state="REGISTERED"), "failed", "down"),
    (Model(name="m", state="DEPLOYED", planned_nodes=3, current_nodes=3), "failed", "up"),
    (Model(name="m", state="DEPLOYED", planned_nodes=3, current_nodes=2), "succeeded", "partial"),
    (Model(name="m", state="DEPLOYED", planned_nodes=3, current_nodes=3), "partial", "up"),
    (Model(name="m", state="DEPLOYING"), None, "deploying"),
    (Model(name="m", state="DEPLOYING", last_deployed_ms=AS_OF - 660_000), None, "deploying"),
    (Model(name="m", state="DEPLOYING", last_deployed_ms=AS_OF - 660_001), None, "stuck"),
    (Model(name="m", state="UNDEPLOYED", planned_nodes=1, redeploy_retries=3), "succeeded", "given_up"),
    (Model(name="m", state="UNDEPLOYED"), "succeeded", "undeployed"),
    (Model(name="m", state="DEPLOYED", planned_nodes=1, current_nodes=1, serving=()), "succeeded", "stale"),
    (Model(name="m", state="DEPLOYED", planned_nodes=1, current_nodes=1), "succeeded", "up"),
]


@pytest.mark.parametrize(("model", "last_outcome", "expected"), STATES)
def test_a_verdict_follows_from_the_index_and_the_last_deployment(
    model: Model | None, last_outcome: str | None, expected: Verdict
) -> None:
    assert find_verdict(model, last_outcome, None, ClusterInfo(as_of_ms=AS_OF)) == expected


def test_no_task_gives_all_columns_and_no_row() -> None:
    table = mltasks.models(mltasks.load("demo").head(0))
    assert len(table) == 0
    assert table.dtypes.equals(mltasks.models(mltasks.load("demo")).dtypes)


@pytest.mark.parametrize("read", SOURCES)
def test_more_models_than_memory_is_meant_for_are_an_error(
    read: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = read("demo")
    monkeypatch.setattr(deployments, "MOST", 66)
    assert mltasks.models(tasks)["deploys"].sum() == 115
    monkeypatch.setattr(deployments, "MOST", 65)
    with pytest.raises(
        UsageError, match=r"models takes 65 models into memory at most, and there are more; .* with model"
    ):
        mltasks.models(tasks)


def test_a_verdict_needs_all_outcomes() -> None:
    with pytest.raises(UsageError, match="models does not take the filter state"):
        mltasks.models(mltasks.load("demo"), state="FAILED")  # type: ignore[call-arg]
