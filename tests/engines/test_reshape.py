from __future__ import annotations

import json

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from support.documents import hit

DEPLOYMENT = {"task_type": "DEPLOY_MODEL", "worker_node": ["n1", "n2"]}


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


def cells(nodes: pd.DataFrame, *names: str) -> list[tuple[object, ...]]:
    return [
        tuple(None if pd.isna(cell) else cell for cell in row) for row in nodes[list(names)].itertuples(index=False)
    ]


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({"worker_node": []}, [(None, False, None)]),
        ({"worker_node": ["n1"]}, [("n1", False, None)]),
        ({"worker_node": ["n1"], "state": "FAILED", "error": "x"}, [("n1", True, None)]),
        ({**DEPLOYMENT, "state": "COMPLETED"}, [("n1", False, None), ("n2", False, None)]),
        ({**DEPLOYMENT, "state": "FAILED", "error": "all bad"}, [("n1", True, None), ("n2", True, None)]),
        (
            {**DEPLOYMENT, "state": "COMPLETED_WITH_ERROR", "error": json.dumps({"n2": "no memory"})},
            [("n1", False, None), ("n2", True, "no memory")],
        ),
        (
            {**DEPLOYMENT, "state": "FAILED", "error": json.dumps({"n1": "no memory", "n3": "gone"})},
            [("n1", True, "no memory"), ("n2", False, None), ("n3", True, "gone")],
        ),
    ],
)
def test_a_task_has_a_row_for_each_of_its_nodes(fields: dict[str, object], rows: list[tuple[object, ...]]) -> None:
    nodes = mltasks.by_node(mltasks.load([hit("a", **fields)]))
    assert cells(nodes, "worker_node", "node_failed", "node_error") == rows
    assert set(nodes["task_id"]) == {"a"}


def test_the_partial_deployments_of_the_demo_failed_on_the_nodes_their_errors_name(demo: pd.DataFrame) -> None:
    nodes = mltasks.by_node(demo[demo["outcome"] == "partial"])
    assert nodes["task_id"].nunique() == 5
    assert nodes["node_failed"].sum() == 7
    assert nodes["node_error"].notna().equals(nodes["node_failed"])


def test_nodes_have_their_names_and_own_columns_and_the_context_stay(demo: pd.DataFrame) -> None:
    nodes = mltasks.by_node(demo.assign(team="red"))
    assert set(nodes["node_name"].dropna()) == {"n1", "n2", "n3"}
    assert nodes["node_name"].isna().equals(nodes["worker_node"].isna())
    assert set(nodes["team"]) == {"red"}
    assert nodes.attrs == demo.attrs


def test_rows_with_one_index_are_laid_out_each_for_itself(demo: pd.DataFrame) -> None:
    twice = mltasks.by_node(pd.concat([demo, demo]))
    once = mltasks.by_node(demo)
    pd.testing.assert_frame_equal(twice, pd.concat([once, once], ignore_index=True), check_flags=False)


def test_the_columns_and_types_are_the_same_for_no_task(demo: pd.DataFrame) -> None:
    assert mltasks.by_node(demo[:0]).dtypes.equals(mltasks.by_node(demo).dtypes)


def test_the_fields_of_json_become_columns_with_the_index_of_the_tasks() -> None:
    responses = [{"a": {"b": 1}, "c": "x"}, None, {"c": "\ud800y"}]
    tasks = mltasks.load([hit(str(n), n, response=one) for n, one in enumerate(responses)]).set_index(
        pd.Index([5, 6, 7])
    )
    found = mltasks.parse_json(tasks, "response")
    assert found.index.tolist() == [5, 6, 7]
    assert found["a.b"].tolist()[0] == 1
    assert cells(found, "c") == [("x",), (None,), ("\ufffdy",)]
    assert tasks.join(found).loc[5, "c"] == "x"


def test_a_column_of_json_with_nothing_in_it_has_no_fields(demo: pd.DataFrame) -> None:
    assert mltasks.parse_json(demo, "user").shape == (552, 0)
    assert mltasks.parse_json(demo[:0], "response").shape == (0, 0)


@pytest.mark.parametrize("text", ["nonsense", "[1]", "7", ""])
def test_a_text_that_is_no_object_has_no_fields(demo: pd.DataFrame, text: str) -> None:
    assert mltasks.parse_json(demo[:2].assign(response=text), "response").shape == (2, 0)


def test_the_error_messages_of_failed_agents_are_in_their_responses(demo: pd.DataFrame) -> None:
    agents = demo[(demo["task_type"] == "AGENT_EXECUTION") & (demo["outcome"] == "failed")]
    assert mltasks.parse_json(agents, "response")["error_message"].tolist() == agents["reason"].tolist()


@pytest.mark.parametrize("column", ["error", "nonsense", "responses"])
def test_a_column_that_holds_no_json_is_a_usage_error(demo: pd.DataFrame, column: str) -> None:
    with pytest.raises(UsageError, match=f"parse_json: '{column}' is no column of JSON; there are user, remote_job, "):
        mltasks.parse_json(demo, column)
