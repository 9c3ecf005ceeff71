from __future__ import annotations

import datetime
import io
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.exceptions import DataError, UsageError
from mltasks.tasks import arrow_schema, schema
from support.documents import CREATED, hit

MINUTE = 60_000


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return mltasks.load("demo")


def plain(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return the cells alone, in the order of the ids."""
    return tasks.sort_values("task_id", ignore_index=True)


def csv(tasks: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(tasks.to_csv(index=False)))


CHANGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "itself": lambda t: t,
    "a copy without attrs": lambda t: pd.DataFrame(dict(t.items())),
    "stored columns only": lambda t: t[arrow_schema.STORED_SCHEMA.names],
    "csv": csv,
    "csv, texts only": lambda t: pd.read_csv(io.StringIO(t.to_csv(index=False)), dtype=str),
    "columns in another order": lambda t: t[sorted(t.columns)],
    "ids as the index": lambda t: t.set_index("task_id"),
    "two indexes": lambda t: t.set_index(["task_type", "task_id"]),
    "a filtered index": lambda t: t.set_index(np.arange(552) * 7),
    "categories": lambda t: t.astype({"state": "category", "task_type": "category", "worker_node": "category"}),
    "objects": lambda t: t.astype(object),
    "nanoseconds": lambda t: t.astype({"create_time": "datetime64[ns, UTC]"}),
    "naive times": lambda t: t.assign(create_time=t["create_time"].dt.tz_localize(None)),
    "another zone": lambda t: t.assign(create_time=t["create_time"].dt.tz_convert("Asia/Tokyo")),
    "times as texts": lambda t: t.assign(create_time=t["create_time"].astype(str)),
    "times as millis": lambda t: t.assign(create_time=t["create_time"].astype("int64")),
    "numbers as floats": lambda t: t.astype({"seq_no": "float64", "version": "float64"}),
    "lists of nodes": lambda t: t.assign(worker_node=t["worker_node"].str.split(",")),
    "arrays of nodes": lambda t: t.assign(
        worker_node=t["worker_node"].str.split(",").map(np.array, na_action="ignore")
    ),
    "arrow types": lambda t: t.convert_dtypes(dtype_backend="pyarrow"),
    "an arrow table": lambda t: pa.Table.from_pandas(t),
    "concatenated halves": lambda t: pd.concat([t[:200], t[200:]]),
    "concatenated with itself": lambda t: pd.concat([t, t], ignore_index=True),
    "overlapping halves": lambda t: pd.concat([t[:400], t[300:]]),
    "ids in a column _id": lambda t: t.rename(columns={"task_id": "_id"}),
    "ids in an index _id, some twice": lambda t: (
        pd.concat([t, t[:9]]).rename(columns={"task_id": "_id"}).set_index("_id")
    ),
    "an index with the name of a column": lambda t: t.rename_axis("task_id"),
    "an index beside its column": lambda t: t.set_index(["task_id", "state"], drop=False),
    "polars": lambda t: pl.from_pandas(t),
    "polars, lazy, with categories": lambda t: (
        pl.from_pandas(t).lazy().with_columns(pl.col("state", "task_type").cast(pl.Categorical))
    ),
    "polars, with lists": lambda t: pl.from_pandas(t.assign(worker_node=t["worker_node"].str.split(","))),
    "HUGEINT": lambda t: duckdb.from_df(t).project("* REPLACE (seq_no::HUGEINT AS seq_no)").to_arrow_table(),
    "unsigned numbers": lambda t: t.astype({"seq_no": "UInt64", "version": "uint8"}),
    "decimals": lambda t: t.assign(seq_no=t["seq_no"].map(lambda n: Decimal(int(n))).astype(object)),
    "times of NumPy": lambda t: t.assign(create_time=list(t["create_time"].dt.tz_localize(None).to_numpy())),
    "json lines": lambda t: pd.read_json(
        io.StringIO(t.to_json(orient="records", lines=True, date_format="iso")), lines=True, dtype=False
    ),
    "types mixed by concat": lambda t: pd.concat([t[:5], csv(t[5:])]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_frame_that_users_changed_loads_equal(demo: pd.DataFrame, name: str) -> None:
    pd.testing.assert_frame_equal(plain(mltasks.load(CHANGES[name](demo))), plain(demo), check_exact=True)


SPELLINGS: dict[str, Callable[[list[str]], str]] = {
    "JSON": json.dumps,
    "Python": str,
    "NumPy": lambda nodes: str(np.array(nodes)),
    "a tuple": lambda nodes: str(tuple(nodes)),
    "DuckDB": lambda nodes: f"[{', '.join(nodes)}]",
    "a database's array": lambda nodes: "{" + ",".join(nodes) + "}",
    "semicolons": ";".join,
    "bars": " | ".join,
    "blanks": " ".join,
    "missing ones among them": lambda nodes: str([None, *nodes]),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_list_of_nodes_is_read_in_any_spelling(spelling: str) -> None:
    lists = [["n1", "node-2_x"], ["n1"], []]
    tasks = mltasks.load([hit(name, worker_node=nodes) for name, nodes in zip("abc", lists, strict=True)])
    spelt = tasks.assign(worker_node=pd.array([SPELLINGS[spelling](nodes) for nodes in lists], "str"))
    assert mltasks.load(spelt)["worker_node"].fillna("").tolist() == ["n1,node-2_x", "n1", ""]
    for source in (spelt, mltasks.scan(spelt)):
        found = mltasks.workers(source)
        assert dict(zip(found["worker_node"], found["tasks"], strict=True)) == {"n1": 2, "node-2_x": 1}


@pytest.mark.parametrize("dtype", ["float16", "float32", "UInt64", "UInt8", "Float64", "uint64[pyarrow]"])
def test_numbers_of_any_type_with_missing_ones_are_read_and_grouped_by(dtype: Any) -> None:
    tasks = mltasks.load([hit(name, n) for n, name in enumerate("abc")])
    numbers = tasks["seq_no"].mask(tasks["seq_no"] == 1).astype(dtype)
    changed = tasks.assign(seq_no=numbers, own=numbers)
    assert mltasks.load(changed)["seq_no"].fillna(-1).tolist() == [0, -1, 2]
    assert mltasks.failures(mltasks.scan(changed), by="own")["tasks"].tolist() == [1, 1, 1]


def test_what_json_normalize_makes_of_hits_is_a_table_of_tasks() -> None:
    hits = [hit("a"), hit("b", own=1)]
    found = mltasks.load(pd.json_normalize(hits))
    assert found[["task_id", "seq_no", "state"]].equals(mltasks.load(hits)[["task_id", "seq_no", "state"]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.merge(t[["task_id", "state"]], on="task_id"), "a merge made state_x of it: merge with suffixes="),
        (
            lambda t: pd.concat([t, t], axis=1, keys=["a", "b"]),
            "columns of several levels, as of a pivot; give one row per",
        ),
    ],
)
def test_a_frame_that_cannot_be_taken_says_what_to_give(
    demo: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        mltasks.load(change(demo))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"seq_no": 1, "last_update_time": CREATED + 9}, {"seq_no": 2, "last_update_time": CREATED}),
        ({"seq_no": None, "last_update_time": CREATED}, {"seq_no": None, "last_update_time": CREATED + 1}),
    ],
)
def test_of_two_concatenated_forms_of_a_task_the_newest_wins(
    older: dict[str, Any], newer: dict[str, Any], flip: bool
) -> None:
    parts = [mltasks.load([hit("a", state=state, **form)]) for state, form in (("RUNNING", older), ("FAILED", newer))]
    both = pd.concat(parts[::-1] if flip else parts)
    assert mltasks.load(both)["state"].tolist() == ["FAILED"]
    assert mltasks.failures(both)["tasks"].tolist() == [1]


def test_of_two_forms_that_nothing_orders_the_later_position_wins() -> None:
    parts = [mltasks.load([hit("a", None, state=state)]) for state in ("RUNNING", "FAILED")]
    assert mltasks.load(pd.concat(parts))["state"].tolist() == ["FAILED"]


def test_the_same_id_in_two_clusters_is_two_tasks(demo: pd.DataFrame) -> None:
    assert len(mltasks.load(pd.concat([demo, demo.assign(cluster="other")]))) == 2 * 552


def test_a_merged_column_survives_and_can_be_grouped_by(demo: pd.DataFrame) -> None:
    teams = pd.DataFrame({"task_type": ["TRAINING", "DEPLOY_MODEL"], "team": ["red", "blue"], "size": [3, 4]})
    merged = demo.merge(teams, on="task_type", how="left")
    loaded = mltasks.load(merged)
    assert loaded["team"].value_counts(dropna=False).to_dict() == merged["team"].value_counts(dropna=False).to_dict()
    for tasks in (merged, loaded, mltasks.scan(merged)):
        found = mltasks.failures(tasks, by="team").set_index("team")["tasks"]
        assert found["red"] == (demo["task_type"] == "TRAINING").sum()
        assert found.sum() == 552


@pytest.mark.parametrize(
    ("own", "read"),
    [
        ([1, 2], [1, 2]),
        ([1.5, 2.5], [1.5, 2.5]),
        ([{"a": 1}, None], [{"a": 1}, None]),
        ([1, "x"], ["1", "x"]),
        ([np.int64(1), "x"], ["1", "x"]),
        (pd.Categorical(["u", "v"]), ["u", "v"]),
        (pd.arrays.IntervalArray.from_breaks([0, 1, 2]), ["(0, 1]", "(1, 2]"]),
        ([1 + 2j, 3j], ["(1+2j)", "3j"]),
    ],
)
def test_an_own_column_of_any_type_stays_readable(own: Any, read: list[Any]) -> None:
    tasks = mltasks.load([hit("a"), hit("b")]).assign(own=own)
    assert mltasks.load(tasks)["own"].tolist() == read


OWN_OF_POLARS = {
    "objects": (pl.Series([uuid.UUID(int=1), None], dtype=pl.Object), ["00000000-0000-0000-0000-000000000001", None]),
    "128 bits": (pl.Series([2**70, 1], dtype=pl.Int128), [1.0, 2.0**70]),
    "nothing": (pl.Series([None, None], dtype=pl.Null), [None]),
}


@pytest.mark.parametrize("kind", OWN_OF_POLARS)
def test_a_column_of_polars_that_arrow_has_no_type_for_is_a_key_all_the_same(kind: str) -> None:
    own, keys = OWN_OF_POLARS[kind]
    tasks = pl.from_pandas(mltasks.load([hit("a"), hit("b")])).with_columns(own=own)
    for frame in (tasks, tasks.lazy()):
        assert [None if pd.isna(key) else key for key in mltasks.failures(frame, by="own")["own"]] == keys


def test_a_time_of_day_of_polars_is_no_key_and_the_message_says_why() -> None:
    tasks = pl.from_pandas(mltasks.load([hit("a")])).with_columns(own=pl.lit(datetime.time(3)))
    with pytest.raises(UsageError, match="cannot group by 'own': it is a time"):
        mltasks.failures(tasks, by="own")


def test_a_union_of_duckdb_is_read_as_texts() -> None:
    relation = duckdb.from_df(mltasks.load([hit("a")])).project(
        "*, union_value(a := 1)::UNION(a INT, b VARCHAR) AS own"
    )
    assert mltasks.load(relation)["own"].tolist() == ["1"]


def test_a_column_whose_name_is_a_number_is_kept_as_a_text(demo: pd.DataFrame) -> None:
    assert mltasks.load(demo.assign(x=1).rename(columns={"x": 2024}))["2024"].eq(1).all()


@pytest.mark.parametrize("table", [pd.DataFrame({"a": [1]}), pa.table({"a": [1]}), pd.DataFrame()])
def test_a_table_of_something_else_is_a_data_error_that_shows_its_columns(table: Any) -> None:
    shown = "a" if len(table) else "none"
    with pytest.raises(
        DataError, match=f"holds no tasks: it has no column state and no create_time .it has: {shown}.;"
    ):
        mltasks.load(table)


def test_a_column_that_is_there_twice_is_a_data_error(demo: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="the column 'cluster' more than once; rename or drop"):
        mltasks.load(pd.concat([demo, demo], axis=1))


def test_columns_that_are_not_there_are_null() -> None:
    tasks = mltasks.load(pd.DataFrame({"state": ["FAILED"], "create_time": [CREATED]}))
    assert tasks["outcome"].tolist() == ["failed"]
    assert tasks.drop(columns=["state", "create_time", "outcome", "duration_status"]).isna().all(axis=None)


def test_values_that_cannot_be_read_are_counted_and_added_to_what_extra_holds() -> None:
    known = mltasks.load([hit("a", priority=3), hit("b"), hit("c")])
    changes: dict[str, Any] = {
        "create_time": ["soon", None, "2023-11-14T22:13:20Z"],
        "extra": [known["extra"][0], "a note", None],
        "is_async": ["perhaps", "perhaps", "true"],
    }
    broken = known.assign(**changes)
    with pytest.warns(
        mltasks.TaskDataWarning, match=r"create_time 1 \(task a: 'soon'\); is_async 2 \(task a: 'perhaps'\)"
    ):
        tasks = mltasks.load(broken)
    assert tasks["extra"].tolist()[:2] == [
        '{"priority":3,"create_time":"soon","is_async":"perhaps"}',
        '{"extra":"a note","is_async":"perhaps"}',
    ]
    assert tasks["create_time"].isna().tolist() == [True, True, False]


def test_nodes_of_an_arrow_table_are_tidied_as_those_of_documents() -> None:
    lists = pa.array([["a", None], None, ["b,c", " d"], []], pa.list_(pa.string()))
    source = pa.table({"state": ["FAILED"] * 4, "create_time": [CREATED] * 4, "worker_node": lists})
    assert mltasks.load(source)["worker_node"].fillna("-").tolist() == ["a", "-", "b,c,d", "-"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
times = st.integers(CREATED, CREATED + 100 * MINUTE)
documents = st.fixed_dictionaries(
    {"create_time": times, "last_update_time": times, "state": st.sampled_from([*schema.STATES, "NEW"])},
    optional={
        "error": texts,
        "function_name": texts,
        "worker_node": st.lists(st.sampled_from(["n1", "n2", "n3"]), unique=True),
        "is_async": st.booleans(),
        "response": st.dictionaries(texts, st.integers()),
        "own": texts,
    },
)


@pytest.mark.filterwarnings("ignore:.*states that this version does not know:mltasks.exceptions.TaskDataWarning")
@settings(max_examples=12)
@given(st.lists(documents, max_size=5))
def test_loading_what_was_loaded_changes_nothing(sources: list[dict[str, Any]]) -> None:
    tasks = mltasks.load([{"_id": f"task-{n}", "_seq_no": n, "_source": one} for n, one in enumerate(sources)])
    pd.testing.assert_frame_equal(mltasks.load(tasks), tasks)
    pd.testing.assert_frame_equal(mltasks.load(mltasks.scan(tasks)), tasks)
