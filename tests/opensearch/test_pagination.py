"""The walk over answers that are not what they should be: complete, or an error; and what its proof costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mltasks.exceptions import ClusterError, DataError
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.pagination import CLOSING_SIZE, SeqNoPagination
from mltasks.opensearch.retry_policy import RetryPolicy
from support.stub_cluster import Body, Change, StubCluster, hit

NUMBERS = {f"task-{n}": 3 * n for n in range(100)}
SIZE = 10


def walk(stub: StubCluster, sleep: Callable[[float], None] = lambda seconds: None, **options: Any) -> SeqNoPagination:
    cluster = Cluster(stub.url, retry_policy=RetryPolicy(sleep=sleep))
    return SeqNoPagination(cluster, Decoder(), page_size=SIZE, **options)


def rows(walk: SeqNoPagination) -> list[tuple[str, int]]:
    tables = [page.table.select(["task_id", "seq_no"]).to_pylist() for page in walk]
    return [(row["task_id"], row["seq_no"]) for table in tables for row in table]


def test_a_quiet_cluster_is_asked_two_things_more_than_its_pages_take() -> None:
    with StubCluster(dict(NUMBERS)) as stub:
        assert dict(rows(walk(stub))) == NUMBERS
    newest, *pages, closing, count, index = stub.asked
    assert len(pages) == 10
    assert newest["track_total_hits"] is True
    assert (closing["size"], closing["track_total_hits"]) == (CLOSING_SIZE, True)
    assert (count["size"], count["track_total_hits"]) == (0, True)
    assert "ids" in index["query"]["bool"]["filter"][0]
    assert set(stub.paths) == {"/_plugins/_ml/tasks/_search"}


def once(number: int, lie: Callable[[Body, Body], Any]) -> Change:
    return lambda n, asked, answer: lie(asked, answer) if n == number else answer


def always(lie: Callable[[Body, Body], Any]) -> Change:
    return lambda n, asked, answer: lie(asked, answer) if asked["size"] == SIZE else answer


def nothing(asked: Body, answer: Body) -> Body:
    return {**answer, "hits": {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}}


def less(asked: Body, answer: Body) -> Body:
    hits = answer["hits"]["hits"][:4]
    return {**answer, "hits": {"total": {"value": len(hits), "relation": "eq"}, "max_score": None, "hits": hits}}


def one_twice(asked: Body, answer: Body) -> Body:
    hits = answer["hits"]["hits"]
    return {**answer, "hits": {**answer["hits"], "hits": [*hits[:-2], hits[0], hits[-1]]}}


def one_skipped(asked: Body, answer: Body) -> Body:
    """A page that is whole by its own words and leaves out one hit in its middle."""
    hits = answer["hits"]["hits"]
    return {
        **answer,
        "hits": {**answer["hits"], "hits": [*hits[:3], *hits[4:], hit("task-x", hits[-1]["_seq_no"] + 1)]},
    }


def largest_number(asked: Body, answer: Body) -> Body:
    hits = answer["hits"]["hits"]
    return {**answer, "hits": {**answer["hits"], "hits": [*hits[:-1], {**hits[-1], "_seq_no": 2**63 - 1}]}}


LIES = [nothing, less, one_twice, largest_number]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("number", [1, 5, 10])
def test_a_page_that_lies_once_costs_no_task(lie: Callable[[Body, Body], Body], number: int) -> None:
    with StubCluster(dict(NUMBERS), once(number, lie)) as stub:
        result = rows(walk(stub))
    assert dict(result) == NUMBERS
    assert len(result) == len(NUMBERS)


@pytest.mark.parametrize("lie", LIES)
def test_pages_that_always_lie_are_an_error(lie: Callable[[Body, Body], Body]) -> None:
    numbers = {f"task-{n}": n for n in range(30_000)}  # more than the closing page shows
    with StubCluster(numbers, always(lie)) as stub, pytest.raises(DataError, match="incomplete") as error:
        rows(walk(stub))
    assert stub.url in str(error.value)


def test_a_hit_that_is_skipped_is_counted_and_read_again() -> None:
    with StubCluster(dict(NUMBERS), once(5, one_skipped)) as stub:
        result = dict(rows(walk(stub)))
    assert NUMBERS.items() <= result.items()


def test_the_greatest_number_of_all_is_a_number_like_any_other() -> None:
    numbers = {**NUMBERS, "last": 2**63 - 1}
    with StubCluster(numbers) as stub:
        assert dict(rows(walk(stub))) == numbers


def test_a_task_that_no_page_holds_since_copies_differ_is_found_at_the_end() -> None:
    """One copy has seen the update of task-0 to number 300 by the first request, the others see it a refresh later."""
    late = {**NUMBERS, "task-0": 300}
    waits: list[float] = []

    def copies(n: int, asked: Body, answer: Body) -> Body:
        stub.numbers = late if n == 0 or waits else {key: v for key, v in NUMBERS.items() if key != "task-0"}
        return stub.answer(asked)

    with StubCluster(late, copies) as stub:
        result = dict(rows(walk(stub, waits.append)))
    assert result == late
    assert len(waits) == 1
    assert 0 < waits[0] <= 1.5


def test_a_task_that_moved_twice_is_there_in_both_its_versions_and_no_write_comes_twice() -> None:
    def moving(n: int, asked: Body, answer: Body) -> Body:
        if n == 3:
            stub.numbers["task-50"] = 400
        if n == 8:
            stub.numbers["task-50"], stub.numbers["task-2"] = 401, 402
        return stub.answer(asked)

    with StubCluster(dict(NUMBERS), moving) as stub:
        result = rows(walk(stub))
    assert len(result) == len(set(result))
    assert {key for key, _ in result} == set(NUMBERS)
    assert ("task-50", 401) in result
    assert ("task-2", 6) in result
    assert ("task-2", 402) in result


@pytest.mark.parametrize("is_closing", [False, True], ids=["before S", "after S"])
def test_full_pages_for_ever_end_with_an_error(is_closing: bool) -> None:
    def full(n: int, asked: Body, answer: Body) -> Body:
        filters = asked["query"]["bool"]["filter"]
        bounds = filters[0].get("range", {}).get("_seq_no") if filters else None
        if bounds is None or asked["size"] == 0 or ("lte" not in bounds) != is_closing:
            return answer
        first = bounds.get("gt", 0) + 1
        size = asked["size"]
        hits = [hit(f"new-{first + k}", first + k) for k in range(size)]
        return {**answer, "hits": {"total": {"value": size + 1, "relation": "gte"}, "max_score": None, "hits": hits}}

    numbers = {"first": 0, "last": 10**9}
    with StubCluster(numbers, full) as stub, pytest.raises(DataError, match="more tasks come than"):
        rows(walk(stub))


def test_one_node_that_holds_data_has_no_second_copy_to_wait_for() -> None:
    def writing(n: int, asked: Body, answer: Body) -> Body:
        stub.numbers["task-7"] = 1000 + n
        return stub.answer(asked)

    waits: list[float] = []
    with StubCluster(dict(NUMBERS), writing) as stub:
        stub.others["/_nodes/_all/jvm"] = {
            "nodes": {"a": {"name": "n1", "roles": ["data"]}, "b": {"name": "n2", "roles": []}}
        }
        assert set(dict(rows(walk(stub, waits.append)))) == set(NUMBERS)
    assert waits == []


def test_what_is_missing_may_be_allowed_and_is_said() -> None:
    numbers = {f"task-{n}": n for n in range(30_000)}
    with StubCluster(numbers, once(2, one_twice)) as stub:
        assert walk(stub).complete
    with StubCluster(numbers, always(nothing)) as stub:
        begun = walk(stub, allow_partial=True)
        result = rows(begun)
    assert 0 < len(result) < len(numbers)
    assert not begun.complete
    assert begun.notes[0].startswith("INCOMPLETE")


LOGIN = b"<html>Please sign in</html>"
ODD = [
    b"",
    LOGIN,
    b"\0" * 50,
    b"7",
    b"null",
    b"[" * 50_000,
    '{"hits":'.encode("utf-16"),
    b'{"hits":{"hits":[' + b"[" * 9,
]


@pytest.mark.parametrize("number", [1, 5, 11, 12, 13], ids=["first", "middle", "closing", "count", "index"])
@pytest.mark.parametrize("odd", [*ODD, (500, b"odd"), (520, LOGIN), (502, b""), (429, b"{}"), (413, LOGIN)], ids=repr)
def test_an_odd_answer_amid_the_walk_costs_no_task(odd: Any, number: int) -> None:
    with StubCluster(dict(NUMBERS), once(number, lambda asked, answer: odd)) as stub:
        result = rows(walk(stub))
    assert dict(result) == NUMBERS
    assert len(result) == len(NUMBERS)


@pytest.mark.parametrize("status", [401, 403, 302, 404, 405])
def test_a_refusal_amid_the_walk_is_an_error(status: int) -> None:
    answer = {"error": {"type": "security_exception", "reason": "no permissions"}, "status": status}
    refusal = once(5, lambda asked, true: (status, answer))
    with StubCluster(dict(NUMBERS), refusal) as stub, pytest.raises(ClusterError, match=f"answers {status}"):
        rows(walk(stub))


def test_a_number_that_was_never_assigned_is_named_as_one_that_is_missing() -> None:
    def unassigned(number: int, asked: Body, answer: Body) -> Body:
        hits = [{**each, "_seq_no": -2} for each in answer["hits"]["hits"]]
        return {**answer, "hits": {**answer["hits"], "hits": hits}}

    with StubCluster(dict(NUMBERS), unassigned) as stub, pytest.raises(DataError, match="a task without _seq_no, as w"):
        rows(walk(stub))
