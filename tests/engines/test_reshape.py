from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.exceptions import DataError, UsageError
from mltasks.reports import report_info
from mltasks.tasks.metadata import ClusterInfo, Node
from support.documents import hit
from support.generated import AS_OF, made

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
    found = mltasks.by_node(demo.set_index(pd.Index([0] * len(demo))))
    pd.testing.assert_frame_equal(found, mltasks.by_node(demo))


FRAMES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "doubled": lambda t, _: pd.concat([t, t]),
    "read back from Parquet": lambda t, path: pd.read_parquet(path),
    "read back as Arrow types": lambda t, path: pd.read_parquet(path, dtype_backend="pyarrow"),
    "an Arrow table": lambda t, path: pq.read_table(path),
    "polars": lambda t, path: pl.read_parquet(path),
    "polars, lazy": lambda t, path: pl.scan_parquet(path),
    "DuckDB": lambda t, path: duckdb.read_parquet(str(path)),
    "a scan": lambda t, path: mltasks.scan(path),
    "lists": lambda t, _: t.assign(worker_node=t["worker_node"].str.split(",")),
    "JSON texts": lambda t, _: t.assign(worker_node=t["worker_node"].str.split(",").map(json.dumps, "ignore")),
    "stale derived columns": lambda t, _: t.assign(outcome="open", failed_nodes="zz", reason="x"),
    "no derived columns": lambda t, _: t.drop(columns=["outcome", "failed_nodes", "reason"]),
    "ids in an index _id": lambda t, _: t.rename(columns={"task_id": "_id"}).set_index("_id"),
    "a MultiIndex": lambda t, _: t.set_index(["cluster", "task_id"]),
    "JSON lines": lambda t, _: pd.read_json(
        io.StringIO(t.to_json(orient="records", lines=True, date_format="iso")), lines=True
    ),
}


@pytest.fixture(scope="module")
def written(demo: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "t.parquet"
    mltasks.write_parquet(demo, path)
    return path


@pytest.mark.parametrize("name", FRAMES)
def test_any_frame_of_tasks_is_laid_out_by_node(demo: pd.DataFrame, written: Path, name: str) -> None:
    columns = ["task_id", "worker_node", "node_failed", "node_error", "reason"]
    found = mltasks.by_node(FRAMES[name](demo, written))[columns]
    assert found.sort_values(columns[:2], ignore_index=True).equals(
        mltasks.by_node(demo)[columns].sort_values(columns[:2], ignore_index=True)
    )


def test_what_it_gives_is_no_table_of_tasks(demo: pd.DataFrame) -> None:
    for take in (mltasks.load, mltasks.workers, mltasks.by_node):
        with pytest.raises(DataError, match="is one of by_node: it has a row per task and node"):
            take(mltasks.by_node(demo))


def test_filters_of_a_scan_hold(written: Path) -> None:
    assert set(mltasks.by_node(mltasks.scan(written, outcome="partial"))["outcome"]) == {"partial"}
    predictions = mltasks.scan(written, task_type="AGENT_EXECUTION")
    assert len(mltasks.parse_json(predictions, "response")) == len(mltasks.load(predictions)) > 0


def test_a_node_id_of_two_clusters_has_the_name_of_its_cluster() -> None:
    readings = tuple(
        ClusterInfo(cluster=cluster, as_of_ms=AS_OF, nodes={"n-1": Node(name)})
        for cluster, name in (("east", "alpha"), ("west", "omega"))
    )
    tasks = made({"cluster": "east"}, {"cluster": "west"}, readings=readings)
    for source in (tasks.pandas(), tasks.dataset()):
        assert cells(mltasks.by_node(source), "cluster", "node_name") == [("east", "alpha"), ("west", "omega")]
        found = mltasks.workers(source)
        assert cells(found, "cluster", "worker_node", "node_name", "tasks") == [
            ("east", "n-1", "alpha", 1),
            ("west", "n-1", "omega", 1),
        ]
        assert "a node id of several clusters is a node of each" in " ".join(report_info.read_info(found).notes)
        for by in ("worker_node", ["cluster", "worker_node"]):
            assert mltasks.workers(source, by=by, node="omega")["node_name"].tolist() == ["omega"]
        assert mltasks.failures(source, by="cluster", node="omega")["cluster"].tolist() == ["west"]
        assert mltasks.failures(source, by="worker_node", node="omega")["tasks"].tolist() == [1]


def test_the_columns_and_types_are_the_same_for_no_task(demo: pd.DataFrame) -> None:
    assert mltasks.by_node(demo[:0]).dtypes.equals(mltasks.by_node(demo).dtypes)


def test_the_fields_of_json_become_columns_with_the_index_of_the_tasks() -> None:
    responses = [{"a": {"b": 1}, "c": "x"}, None, {"c": "\ud800y"}]
    tasks = mltasks.load([hit(str(n), n, response=one) for n, one in enumerate(responses)]).set_index(
        pd.Index([5, 6, 7])
    )
    found = mltasks.parse_json(tasks, "response")
    assert found.index.tolist() == [5, 6, 7]
    assert found["a.b"].tolist() == [1, pd.NA, pd.NA]
    assert cells(found, "c") == [("x",), (None,), ("\ufffdy",)]
    assert tasks.join(found).loc[5, "c"] == "x"


@pytest.mark.parametrize(
    ("values", "dtype", "read"),
    [
        ([9007199254740993, None], "Int64", [9007199254740993, None]),
        ([9007199254740993, 2], "Int64", [9007199254740993, 2]),
        ([True, None], "boolean", [True, None]),
        ([1.5, None], "float64", [1.5, None]),
        ([1.5, 2], "float64", [1.5, 2.0]),
        ([1.5, 9007199254740993], "object", [1.5, 9007199254740993]),
        ([2**64 + 1, None], "object", [2**64 + 1, None]),
        (["x", None], "str", ["x", None]),
        (["x", 9007199254740993], "object", ["x", 9007199254740993]),
        ([[9007199254740993], None], "object", [[9007199254740993], None]),
        ([True, 1], "object", [True, 1]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["n", "a.b.c"])
def test_numbers_in_json_stay_what_they_are(values: list[Any], dtype: str, read: list[Any], name: str) -> None:
    tasks = mltasks.load([hit(str(n), n) for n in range(len(values))])
    parts = name.split(".")
    objects = [functools.reduce(lambda inner, part: {part: inner}, reversed(parts), value) for value in values]
    found = mltasks.parse_json(tasks.assign(response=list(map(json.dumps, objects))), "response")[name]
    assert str(found.dtype) == dtype
    cells = [value if isinstance(value, list) else None if pd.isna(value) else value for value in found]
    assert cells == read


def test_json_that_another_reader_has_parsed_is_taken_as_it_is() -> None:
    responses: Any = [{"a": {"b": 1}}, None]
    tasks = mltasks.load([hit("a"), hit("b")]).assign(response=responses)
    assert mltasks.parse_json(tasks, "response")["a.b"].tolist() == [1, pd.NA]


def test_json_may_be_as_deep_as_it_can_be_read() -> None:
    text = '{"a":' * 900 + "7" + "}" * 900
    found = mltasks.parse_json(mltasks.load([hit("a")]).assign(response=text), "response")
    assert found.columns.tolist() == [".".join(["a"] * 900)]


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
