from __future__ import annotations

from mltasks.opensearch import existing_ids
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.existing_ids import find_existing_ids
from mltasks.opensearch.retry_policy import REFRESH_S, RetryPolicy
from support.stub_cluster import StubCluster


def test_the_second_look_comes_a_refresh_later_and_asks_for_the_ids() -> None:
    waits: list[float] = []
    with StubCluster({"a": 1, "b": 2, "c": 3}) as stub:
        cluster = Cluster(stub.url, retry_policy=RetryPolicy(sleep=waits.append))
        assert sorted(find_existing_ids(cluster, ["a", "gone", "c"])) == ["a", "c"]
    assert waits == [REFRESH_S]
    assert len(stub.asked) == 1


def test_many_ids_are_asked_for_in_several_requests() -> None:
    numbers = {f"task-{n}": n for n in range(2 * existing_ids.BATCH + 1)}
    with StubCluster(numbers) as stub:
        cluster = Cluster(stub.url, retry_policy=RetryPolicy(sleep=lambda seconds: None))
        assert set(find_existing_ids(cluster, [*numbers, "gone"])) == set(numbers)
    assert len(stub.asked) == 3


def test_no_ids_need_no_look() -> None:
    with StubCluster({"a": 1}) as stub:
        assert find_existing_ids(Cluster(stub.url), []) == []
    assert stub.asked == []
