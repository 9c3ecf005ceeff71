from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.engines import group_keys
from mltasks.exceptions import UsageError
from support.generated import Made, made

MONEY = pd.ArrowDtype(pa.decimal128(5, 2))
TASKS = made({}, {"state": "FAILED"}, {"task_type": None})
BOTH = ["as it is", "scanned"]


def given(kind: str, tasks: pd.DataFrame) -> Any:
    return mltasks.scan(tasks) if kind == "scanned" else tasks


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("state", ("state",)),
        ("state,task_type", ("state", "task_type")),
        (" state , task_type ,", ("state", "task_type")),
        (["state", "task_type,state"], ("state", "task_type")),
        ("", ()),
        ([], ()),
        ([""], ()),
        ((), ()),
    ],
)
def test_by_is_one_name_several_or_none(by: Any, names: tuple[str, ...]) -> None:
    assert group_keys.parse_by(by) == names


@pytest.mark.parametrize("by", [[1], ["state", None], [["state"]]])
def test_by_takes_nothing_but_texts(by: Any) -> None:
    with pytest.raises(UsageError, match="is no column name"):
        mltasks.failures(TASKS.pandas(), by=by)


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("functon_name", "by: there is no column 'functon_name'; did you mean 'function_name'?"),
        ("worker", "by: there is no column 'worker'; did you mean 'worker_node'?"),
        ("tem", "by: there is no column 'tem'; did you mean 'team'?"),
        ("State", "by: there is no column 'State'; did you mean 'state'?"),
        ("TASK-Type", "by: there is no column 'TASK-Type'; did you mean 'task_type'?"),
        ("Node", "by: there is no column 'Node'; did you mean 'worker_node'?"),
        ("failed_nodes", "by: cannot group by 'failed_nodes': it holds lists"),
        ("response", "by: cannot group by 'response': it holds JSON"),
        ("extra", "by: cannot group by 'extra': it holds JSON"),
        (["state", "create_time"], "by: cannot group by 'create_time': it is a time; use every (--every) for periods"),
        ("start_ms", "by: there is no column 'start_ms'; did you mean 'state'?"),
    ],
)
def test_a_column_that_is_no_group_gives_the_same_error_on_every_engine(kind: str, by: Any, message: str) -> None:
    for report in (mltasks.durations, mltasks.failures, mltasks.workers):
        with pytest.raises(UsageError) as raised:
            report(getattr(TASKS, kind)(), by=by)
        assert str(raised.value) == message


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_a_name_near_to_none_gets_the_list_of_all(kind: str) -> None:
    with pytest.raises(UsageError, match="there is no column 'nonsense'; there are cluster, task_id") as raised:
        mltasks.durations(getattr(TASKS, kind)(), by="nonsense")
    assert "create_time" not in str(raised.value)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "values",
    [
        [pd.Timestamp("2025-01-01", tz="UTC")] * 3,
        [datetime.date(2025, 1, 1)] * 3,
        [pd.Timedelta(1, "h")] * 3,
        [["a"], ["b"], []],
        [{"a": 1}] * 3,
    ],
    ids=repr,
)
def test_an_own_column_of_lists_objects_or_times_is_no_group(kind: str, values: list[Any]) -> None:
    tasks = TASKS.pandas().assign(mine=pd.Series(values))
    with pytest.raises(UsageError, match=r"by: cannot group by 'mine': it (holds lists or objects|is a time)"):
        mltasks.failures(given(kind, tasks), by="mine")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("values", "keys", "dtype"),
    [
        (["b", "a", None], ["a", "b", None], "str"),
        (pd.Categorical(["b", "a", None]), ["a", "b", None], "str"),
        (["b", 1, None], ["1", "b", None], "str"),
        ([2, 1, 2], [1, 2], "Int64"),
        (pd.array([2**53 + 1, 2**53 + 2, None], "Int64"), [2**53 + 1, 2**53 + 2, None], "Int64"),
        (pd.Series([2, 1, None], dtype=pd.ArrowDtype(pa.int8())), [1, 2, None], "Int64"),
        (pd.Series([-2, 1, -1], dtype="int8"), [-2, -1, 1], "Int64"),
        (pd.Series([2**63, 1, 2], dtype="uint64"), [1, 2, 2**63], "UInt64"),
        ([0.5, -1.0, None], [-1.0, 0.5, None], "float64"),
        (pd.Series([Decimal("1.5"), Decimal("0.5"), None], dtype=MONEY), [0.5, 1.5, None], "float64"),
        ([True, False, True], [False, True], "boolean"),
        (pd.array([True, None, None], "boolean"), [True, None], "boolean"),
        ([None, None, None], [None], "str"),
        (pd.Categorical([2, 1, None]), [1, 2, None], "Int64"),
        (pd.Categorical([2, 1, 2], ordered=True), [1, 2], "Int64"),
        (pd.Categorical([1.5, 0.5, None]), [0.5, 1.5, None], "float64"),
        (pd.Categorical([True, False, None]), [False, True, None], "boolean"),
        (pd.Series(pd.arrays.ArrowExtensionArray(pa.array([2, 1, None]).dictionary_encode())), [1, 2, None], "Int64"),
        ([Decimal("1.5"), Decimal("0.50"), None], [0.5, 1.5, None], "float64"),
        ([Decimal("1.50"), Decimal("1.5"), Decimal("NaN")], [1.5, None], "float64"),
        (np.array([0.5, np.nan, 2], "float16"), [0.5, 2.0, None], "float64"),
        (pd.array([2**63 + 1, 1, None], "UInt64"), [1, 2**63 + 1, None], "UInt64"),
        (pd.array([2, 1, None], "int32[pyarrow]"), [1, 2, None], "Int64"),
        (pd.array([2, 1, None], "Int16"), [1, 2, None], "Int64"),
        (pd.arrays.SparseArray([2, 1, 2]), [1, 2], "Int64"),
        (pd.period_range("2025-01", periods=3, freq="M"), ["2025-01", "2025-02", "2025-03"], "str"),
        ([-0.0, 0.0, 1.0], [0.0, 1.0], "float64"),
        ([np.int64(1), 1, np.int8(2)], [1, 2], "Int64"),
        ([UUID(int=1), UUID(int=2), None], [str(UUID(int=1)), str(UUID(int=2)), None], "str"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_own_column_is_a_group_in_one_type_on_every_engine(
    kind: str, values: Any, keys: list[Any], dtype: str
) -> None:
    tasks = TASKS.pandas().assign(mine=values)
    found = mltasks.durations(given(kind, tasks), by="mine")
    assert [None if pd.isna(key) else key for key in found["mine"]] == keys
    assert str(found["mine"].dtype) == dtype


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["node", "node_name"])
def test_a_worker_node_may_be_called_a_node(kind: str, name: str) -> None:
    tasks = given(kind, TASKS.pandas())
    expected = mltasks.workers(tasks, by=["worker_node", "state"])
    pd.testing.assert_frame_equal(mltasks.workers(tasks, by=[name, "state"]), expected)
    own = given(kind, TASKS.pandas().assign(node=["x", "y", "x"]))
    assert mltasks.failures(own, by="node")["node"].tolist() == ["x", "y"]


@pytest.mark.parametrize("option", [{"every": pd.Timedelta(1, "h")}, {"tz": 1}, {"by": None}, {"by": 1}])
def test_an_option_of_a_wrong_type_is_an_error_of_the_call(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        mltasks.failures(TASKS.pandas(), **option)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["start_ms", 'own:a "quoted" one', "at", "chosen"])
def test_an_own_column_may_have_the_name_of_a_helper(kind: str, name: str) -> None:
    tasks = TASKS.pandas().assign(**{name: ["x", "y", "x"]})
    for report in (mltasks.failures, mltasks.workers):
        found = report(given(kind, tasks), by=name, every="1d")
        assert found[[name, "tasks"]].to_numpy().tolist() == [["x", 2], ["y", 1]]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["tasks", "failed", "period"])
def test_an_own_column_with_the_name_of_a_report_column_has_to_be_renamed(kind: str, name: str) -> None:
    tasks = given(kind, TASKS.pandas().assign(**{name: "x"}))
    with pytest.raises(UsageError, match=f"the report has a column '{name}' of its own; rename yours"):
        mltasks.workers(tasks, by=name)
    assert mltasks.workers(tasks, by=[])["tasks"].tolist() == [3]


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
def test_a_missing_value_is_a_group_of_its_own_and_comes_last(kind: str) -> None:
    tasks = Made([{**row, "team": team} for row, team in zip(TASKS.rows, (None, "", "a"), strict=True)], TASKS.context)
    for report in (mltasks.durations, mltasks.failures, mltasks.workers):
        found = report(getattr(tasks, kind)(), by="team")
        assert found["team"].isna().tolist() == [False, False, True]
        assert found["tasks"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.rename_axis("task_type"),
        lambda t: t.set_index("task_type", drop=False),
        lambda t: t.set_index(["state", "task_type"], drop=False),
    ],
)
def test_an_index_with_the_name_of_a_key_changes_nothing(change: Any) -> None:
    tasks = mltasks.load("demo", since="10m")
    for report in (mltasks.failures, mltasks.workers):
        expected = report(tasks, by="task_type")
        pd.testing.assert_frame_equal(report(change(tasks), by="task_type"), expected)
    assert len(mltasks.by_node(change(tasks))) == len(mltasks.by_node(tasks))
