"""A reading as users begin it: what a first answer proves, and whose mistake a rejection is."""

from __future__ import annotations

from typing import Any

import pytest

import mltasks
from mltasks.exceptions import ClusterError, UsageError
from support.stub_cluster import Body, Change, StubCluster

NUMBERS = {f"task-{n}": n for n in range(5)}
REJECTED = (400, {"error": {"type": "parsing_exception", "reason": "unknown query [nope]"}, "status": 400})
OWN = mltasks.Access(query={"nope": {}}, progress=False)
NONE = mltasks.Access(progress=False)


def once(number: int, answer: Any) -> Change:
    return lambda n, asked, true: answer if n == number else true


def nothing(true: Body) -> Body:
    return {**true, "hits": {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}}


def test_an_empty_cluster_is_an_empty_table() -> None:
    with StubCluster({}) as stub:
        assert mltasks.load(stub.url, NONE).empty
        first, second = stub.asked
    assert first == second


def test_one_answer_that_says_nothing_is_there_is_not_believed() -> None:
    with StubCluster(dict(NUMBERS), lambda n, asked, true: true if n else nothing(true)) as stub:
        assert sorted(mltasks.load(stub.url, NONE)["task_id"]) == sorted(NUMBERS)


def test_one_answer_that_knows_no_such_value_is_not_believed() -> None:
    with StubCluster(dict(NUMBERS), lambda n, asked, true: true if n else nothing(true)) as stub:
        assert mltasks.load(stub.url, NONE, task_type="OF_A_LATER_RELEASE").empty  # filtered again by us


@pytest.mark.parametrize(
    ("access", "number", "kind"),
    [(OWN, 0, UsageError), (OWN, 2, ClusterError), (NONE, 0, ClusterError), (NONE, 2, ClusterError)],
)
def test_a_rejection_is_a_wrong_command_only_where_the_query_is_the_users(
    access: mltasks.Access, number: int, kind: type[mltasks.Error]
) -> None:
    words = r"answers 400: the query is rejected: unknown query \[nope\]"
    with StubCluster(dict(NUMBERS), once(number, REJECTED)) as stub, pytest.raises(kind, match=words) as caught:
        mltasks.load(stub.url, access)
    assert caught.value.exit_code == (2 if kind is UsageError else 3)
