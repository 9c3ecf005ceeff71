from __future__ import annotations

import traceback

import pytest

import mltasks
from mltasks import ClusterError, UsageError
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.retry_policy import RetryPolicy
from support.stub_cluster import StubCluster


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
        (f"http://{'x' * 64}.example", "cannot be a host's name"),
        ("http://host:9200?size=5", "a cluster's URL has no '?' or '#'"),
    ],
)
def test_a_url_that_is_none_of_a_cluster_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        Cluster(url)
    assert said in str(error.value)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("urls", "name"),
    [
        (["https://h", "https://H:443", "https://h:443/", "https://h."], "h:443"),
        (["http://localhost:9200", "http://LOCALHOST:9200/"], "localhost:9200"),
        (["https://h/search", "https://H:443/search/"], "h:443/search"),
        (["https://bücher.example", "https://XN--BCHER-KVA.example", "https://BÜCHER.example."], "bücher.example:443"),
        (["https://faß.example", "https://xn--fa-hia.example"], "faß.example:443"),
        (["https://xn--a.example"], "xn--a.example:443"),  # stands for no letters
        (["https://xn--zzzzzzzz99999.example"], "xn--zzzzzzzz99999.example:443"),
        (["https://h/Search"], "h:443/Search"),
        (["https://h/café", "https://h/caf%C3%A9"], "h:443/caf%C3%A9"),
        (["http://[::1]", "http://[::1]:80"], "[::1]:80"),
    ],
)
def test_a_cluster_without_a_name_is_called_by_its_one_address(urls: list[str], name: str) -> None:
    assert {Cluster(url).name for url in urls} == {name}


def test_a_cluster_says_on_one_line_which_it_is() -> None:
    assert Cluster("https://host:9200", name="prod-eu").name == "prod-eu"
    assert repr(Cluster("https://host:9200/x", name="prod-eu")) == "<Cluster prod-eu at https://host:9200/x>"


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


def test_the_traceback_of_a_refused_connection_is_short_and_names_no_layer_below() -> None:
    with pytest.raises(ClusterError) as error:
        mltasks.load("http://127.0.0.1:9")
    lines = "".join(traceback.format_exception(error.value))
    assert "urllib3" not in lines
    assert lines.count("Traceback") == 1


def test_a_host_that_does_not_exist_is_said_at_once() -> None:
    waits: list[float] = []
    cluster = Cluster("http://no-such-host.invalid:9200", retry_policy=RetryPolicy(sleep=waits.append))
    with pytest.raises(ClusterError, match="there is no host of this name; check the URL"):
        cluster.search({"size": 1})
    assert waits == []


BODY = {
    "size": 1,
    "track_total_hits": True,
    "sort": [{"_seq_no": "asc"}],
    "query": {"bool": {"filter": [{"range": {"_seq_no": {"gte": 0}}}]}},
}


def test_a_retry_policy_may_be_given_by_its_first_name() -> None:
    waits: list[float] = []
    with StubCluster({"a": 1}, lambda n, asked, answer: (503, b"") if n == 0 else answer) as stub:
        cluster = Cluster(stub.url, patience=RetryPolicy(sleep=waits.append))
        assert cluster.search(BODY).status == 200
        cluster.close()
    assert len(waits) == 1
