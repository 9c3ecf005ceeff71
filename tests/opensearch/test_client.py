from __future__ import annotations

import pytest

from mltasks import ClusterError, UsageError
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.retry_policy import RetryPolicy


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://me:s3cret@host:9200", "http://host:9200: credentials in a URL end up in logs"),
        ("https://me:s3cret/#?s3cret@host:9200/x", "https://host:9200/x: credentials in a URL end up in logs"),
        ("https://me:1#s3cret@host", "https://host: credentials in a URL end up in logs"),
        ("https://me@host", "https://host: credentials in a URL end up in logs"),
        ("ftp://host", "ftp://host: not the URL of a cluster; write http://host:9200 or https://host:9200"),
        ("http://", "http://: not the URL of a cluster"),
        ("http://[::1", "http://[::1: Invalid IPv6 URL; write http://host:9200"),
        ("http://host:99999", "http://host:99999: Port out of range 0-65535"),
        ("http://host:9200?size=5", "a cluster's URL has no '?' or '#'"),
    ],
)
def test_a_url_that_is_none_of_a_cluster_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        Cluster(url)
    assert said in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_cluster_is_called_by_its_host_and_port_unless_it_has_a_name() -> None:
    assert Cluster("https://host:9200/path/").name == "host:9200"
    assert Cluster("https://host:9200", name="prod-eu").name == "prod-eu"


def test_when_the_deadline_is_over_nothing_is_asked_any_more() -> None:
    cluster = Cluster("http://127.0.0.1:9", retry_policy=RetryPolicy(deadline=0.0))
    with pytest.raises(ClusterError, match=r"the deadline of 0 s is over before the reading was; raise --deadline"):
        cluster.search({"size": 1})


def test_a_port_on_which_nothing_listens_is_said_at_once() -> None:
    waits: list[float] = []
    cluster = Cluster("http://127.0.0.1:9", retry_policy=RetryPolicy(sleep=waits.append))
    with pytest.raises(ClusterError, match=r"nothing answers there \(.*Connection refused\); check host and port"):
        cluster.search({"size": 1})
    assert waits == []


def test_a_host_that_does_not_exist_is_said_at_once() -> None:
    waits: list[float] = []
    cluster = Cluster("http://no-such-host.invalid:9200", retry_policy=RetryPolicy(sleep=waits.append))
    with pytest.raises(ClusterError, match="there is no host of this name; check the URL"):
        cluster.search({"size": 1})
    assert waits == []
