from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.tasks import arrow_schema, deduplicate, table
from mltasks.tasks.metadata import ClusterInfo, Context
from support.documents import CREATED, hit

FANTASY = 4_000_000_000_000  # the year 2096
TEXTS = [
    *("cluster", "task_id", "task_type", "function_name", "state", "input_type", "model_id", "output_index"),
    *("tenant_id", "worker_node", "error", "user", "remote_job", "response", "extra"),
    *("outcome", "duration_status", "reason", "failed_nodes"),
]
DTYPES = {
    **dict.fromkeys(TEXTS, "str"),
    **dict.fromkeys(("create_time", "last_update_time"), "datetime64[ms, UTC]"),
    **dict.fromkeys(("seq_no", "primary_term", "version"), "Int64"),
    **dict.fromkeys(("progress", "duration_s"), "float64"),
    "is_async": "boolean",
}

rows = st.fixed_dictionaries(
    {
        "cluster": st.sampled_from([None, "x", "y"]),
        "task_id": st.sampled_from([None, "a", "b", "c"]),
        "seq_no": st.sampled_from([None, 0, 1, 2]),
        "last_update_time": st.sampled_from([None, 1, 2]),
    }
)


def stored(found: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(found, schema=arrow_schema.STORED_SCHEMA)


@settings(deadline=None)
@given(st.lists(rows, max_size=12))
def test_the_newest_form_of_each_task_is_kept_in_its_place(found: list[dict[str, Any]]) -> None:
    numbered = [{**row, "version": n} for n, row in enumerate(found)]
    best: dict[Any, dict[str, Any]] = {}
    for row in numbered:
        key = (row["cluster"], row["task_id"]) if row["task_id"] else row["version"]  # without an id: a task of its own
        if key not in best or age(row) >= age(best[key]):
            best[key] = row
    kept = deduplicate.deduplicate(stored(numbered))["version"].to_pylist()
    assert kept == sorted(row["version"] for row in best.values())


def age(row: dict[str, Any]) -> tuple[int, int]:
    """Return what orders two forms of a task: the greater seq_no, else the later update, else the later position."""
    return tuple(-1 if row[name] is None else row[name] for name in ("seq_no", "last_update_time"))  # type: ignore[return-value]


@pytest.mark.parametrize("source", ["demo", [], [hit()], [hit(None, None, create_time="x", is_async=None)]])
@pytest.mark.filterwarnings("ignore::mltasks.TaskDataWarning")
def test_the_types_in_pandas_are_the_same_for_any_rows_and_none(source: Any) -> None:
    tasks = mltasks.load(source)
    assert {name: str(dtype) for name, dtype in tasks.dtypes.items()} == DTYPES
    assert list(tasks.columns) == arrow_schema.SCHEMA.names


def test_a_list_of_nodes_is_one_text_in_pandas_and_none_is_missing() -> None:
    tasks = mltasks.load([hit("a", worker_node=["n1", "n2"]), hit("b", worker_node=[])])
    assert tasks["worker_node"].tolist()[0] == "n1,n2"
    assert tasks["worker_node"].isna().tolist() == [False, True]


def test_the_habits_of_pandas_work_on_every_column(tmp_path: Any) -> None:
    tasks = mltasks.load("demo")
    for name in tasks.columns:
        assert tasks.groupby(name, dropna=False).size().sum() == 552
        assert tasks[name].value_counts(dropna=False).sum() == 552
        assert tasks[name].isin(tasks[name].dropna().head(1)).any() == tasks[name].notna().any()
        assert len(tasks.drop_duplicates(name)) == tasks[name].nunique(dropna=False)
    assert tasks.describe(include="all").loc["count", "task_id"] == 552
    tasks.to_parquet(tmp_path / "t.parquet")
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == 552


def test_the_context_survives_what_users_do_to_a_frame() -> None:
    tasks = mltasks.load("demo")
    attrs = tasks.attrs
    assert attrs
    for changed in (tasks[tasks["state"] == "FAILED"], tasks.head(), tasks.sort_values("state"), tasks.copy()):
        assert changed.attrs == attrs


@pytest.mark.parametrize(
    ("times", "as_of"),
    [
        ([(CREATED, CREATED + 5), (CREATED + 9, None)], CREATED + 9),
        ([(CREATED, FANTASY)], CREATED),
        ([(0, 0), (None, None)], None),
        ([], None),
    ],
)
def test_a_time_of_reading_that_is_not_known_is_the_newest_plausible_time(times: list[Any], as_of: int | None) -> None:
    found = stored([{"create_time": one, "last_update_time": other} for one, other in times])
    ctx = table.assume_as_of(found, Context(source="x"))
    assert ctx.as_of_ms == as_of
    assert ctx.readings[0].as_of_assumed is (as_of is not None)


def test_a_time_of_reading_that_is_known_stays() -> None:
    known = Context(source="x", readings=(ClusterInfo(as_of_ms=CREATED),))
    assert table.assume_as_of(stored([{"create_time": CREATED + 9}]), known) is known


def test_derived_columns_of_the_source_are_never_trusted() -> None:
    tasks = mltasks.load("demo")
    lies = tasks.assign(outcome="failed", duration_s=-1.0, duration_status="open", reason="lie", failed_nodes="n9")
    assert mltasks.load(lies).equals(tasks)


@pytest.mark.parametrize("name", ["overdue", "start_ms", "end_ms", "created_ms", "as_of_ms", "nodes_text"])
def test_an_own_column_with_the_name_of_a_helper_is_left_alone(name: str) -> None:
    assert set(mltasks.load(mltasks.load("demo").assign(**{name: "mine"}))[name]) == {"mine"}
