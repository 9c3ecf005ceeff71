from __future__ import annotations

import json
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.opensearch.access import Access
from mltasks.tasks import metadata, redact
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.filters import Filters
from support.stub_cluster import StubCluster

CASES = Path(__file__).parents[1] / "data" / "cases" / "redact.ndjson"
MASKED = Access(redact=True)
SECRETS = [  # all that the cases hold
    *("sk-proj", "AbCdEf", "platform.openai", "svc_user", "S3cretPw", "search-prod", "eyJ", "abc123", "acme", 'J"'),
    *("1234", "1111", "Admin", "jane", "Jane", "doe", "hr]", "AKIA", "fe5f80", "fe80", "4567", "10-0-12", "10.0.12"),
    *("wJalr", "EXAMPLEKEY", "hunter2", "opensearch-data-0", "cluster.local", "arn:"),
]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "no permissions for [indices:data/read/search] and User [name=writer, backend_roles=[a, b], x=null]",
            "no permissions for [indices:data/read/search] and User [name=<user>, backend_roles=[<roles>], x=null]",
        ),
        ("[n2][127.0.0.1:9312] Node not connected", "[n2][<host>] Node not connected"),
        ("http://127.0.0.1:8089/nothing.zip", "<url>"),
        ("artifacts.opensearch.org", "<host>"),
        ("host-1.internal:9200 died at 12:30:45", "<host> died at 12:30:45"),
        ("[::1]:9200 and fe80::1 and 2001:db8:0:0:0:0:0:1", "<host> and <host> and <host>"),
        ("mail to jo.doe@example.com", "mail to <address>"),
        # URLs, whatever they carry
        ("at https://u:p@ss]w0rd!@h:9200/a?token=x#y, twice", "at <url> twice"),
        ('{"url":"https://h/a","owner":"x"}', '{"url":"<url>","owner":"<user>"}'),
        ("http://[2001:db8::1]:9200/_search failed", "<url> failed"),
        ("GET /models/x?X-Amz-Signature=fe5f&a=b HTTP/1.1", "GET /models/x?<query> HTTP/1.1"),
        ("jdbc:postgresql://u:pw@db/x", "jdbc:<url>"),
        # keys and tokens
        ("AWS key ASIAIOSFODNN7EXAMPLE is not valid", "AWS key <secret> is not valid"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "<secret>"),
        ("key hf_abcdefghijklmnopqrst and ghp_0123456789abcdef", "key <secret> and <secret>"),
        ("Authorization: Basic YWRtaW46YWRtaW4=", "Authorization: Basic <secret>"),
        ("authorization: ApiKey VnVhQ2ZHY0JDZGJrU", "authorization: ApiKey <secret>"),
        ("Basic authentication failed", "Basic authentication failed"),
        ("Bearer token is missing", "Bearer token is missing"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.abc_-1", "<secret>"),
        ("Set-Cookie: JSESSIONID=0A1B2C3D4E; Path=/", "Set-Cookie: <secret> Path=/"),
        ("x-api-key: 7f3c-99ab", "x-api-key: <secret>"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nab+/=\n-----END RSA PRIVATE KEY----- end", "<key> end"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut", "<key>"),
        ("password: hunter", "password: <secret>"),
        ('{"message":"wrong","client_secret":"a b"}', '{"message":"wrong","client_secret":"<secret>"}'),
        ("{'db_password': 'it is'}", "{'db_password': '<secret>'}"),
        ("wrong password provided: hunter2", "wrong password provided: <secret>"),
        ("Server=tcp:db,1433;User Id=jane;Password=z;", "Server=<host>,1433;User Id=jane;Password=<secret>"),
        ("DefaultEndpointsProtocol=https;AccountKey=abc==;X=y", "DefaultEndpointsProtocol=https;AccountKey=<secret>"),
        # people and machines
        ("Authentication failed for user admin: no", "Authentication failed for user <user>: no"),
        ("user [jane doe] has no access", "user [<user>] has no access"),
        ("createdBy=jane, x=1", "createdBy=<user>, x=1"),
        ("/Users/jane/x and /home/jane", "/Users/<user>/x and /home/<user>"),
        (r"C:\\Users\\Jane Doe\\x in JSON", r"C:\\Users\\<user>\\x in JSON"),
        (r"\\fileserver\share\x", r"\\<host>\share\x"),
        ("arn:aws:sts::123456789012:assumed-role/Admin/jane is not allowed", "<arn> is not allowed"),
        ("account 123456789012 and 107374182400 bytes", "account <account> and 107374182400 bytes"),
        ("aa:bb:cc:dd:ee:ff", "<host>"),
        ("localhost:9200, es.example.de, ip-10-0-1-2", "<host>, <host>, <host>"),
        ("10.0.0.0/8", "<host>"),
    ],
)
def test_what_leads_to_somebody_is_masked(text: str, masked: str) -> None:
    assert redact.text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "timeout after 2 seconds",
        "the value isn't Double type",
        "org.opensearch.action.support.ThreadedActionListener$1@6ad17812",
        '{"HzhJ-URiThehJ0SfzNM4NA":"Method is not implemented"}',
        "at java.base/java.util.ArrayList.get(ArrayList.java:427)",
        "status:429, line:12, took:35ms, 2026-11-24T12:30:45Z",
        "model text_embedding-all-MiniLM-L6-v2-huggingface of 90886519 bytes",
        "max_tokens: 4096 and completion_tokens=57; Unexpected token: EOF",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "std::vector and :: and a ? b : c",
    ],
)
def test_what_says_what_went_wrong_is_left(text: str) -> None:
    assert redact.text(text) == text


@settings(max_examples=50)
@given(st.text(alphabet="ab1.:@/\\=\"'[]{}?&<>- _%\n") | st.text())
def test_a_masked_text_is_masked_already(text: str) -> None:
    once = redact.text(text)
    assert redact.text(once) == once


@settings(max_examples=50)
@given(st.recursive(st.text() | st.integers() | st.none(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_masked_json_is_json_with_the_same_shape(value: object) -> None:
    masked = json.loads(redact.json_text(json.dumps([value], ensure_ascii=False)))
    assert _shape(masked) == _shape([value]) or "secret" in json.dumps(masked)


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return [_shape(v) for v in value.values()]
    return [_shape(v) for v in value] if isinstance(value, list) else type(value)


def test_json_is_masked_by_its_keys_and_else_stays_as_it_was_written() -> None:
    text = '{ "n": 1.50, "pin": 1234, "Password" : "x\\"y", "s": "a\\/b", "hosts": [], "tokens": "7", "bucket": "b" }'
    assert redact.json_text(text) == (
        '{ "n": 1.50, "pin": "<secret>", "Password" : "<secret>", "s": "a\\/b", "hosts": [], "tokens": "7", '
        '"bucket": "<host>" }'
    )


@pytest.mark.parametrize(
    "text",
    [random.Random(1).randbytes(333_333).hex(" "), "a-" * 500_000, ":" * 1_000_000, "\\" * 1_000_000, "1." * 500_000],
    ids=["hex dump", "hyphens", "colons", "backslashes", "numbers"],
)
def test_a_megabyte_is_read_once(text: str) -> None:
    assert redact.text(text) == text  # what goes back and forth would take hours


def test_nothing_of_the_cases_is_left() -> None:
    tasks = mltasks.load(CASES, MASKED)
    assert len(tasks) == 14
    text = tasks.to_csv() + tasks.attrs["mltasks"]
    assert [secret for secret in SECRETS if secret in text] == []
    table = mltasks.errors(mltasks.scan(CASES, MASKED))
    assert [secret for secret in SECRETS if secret in table.to_csv()] == []


def test_a_redacted_load_changes_texts_and_no_number() -> None:
    plain, masked = mltasks.load("demo"), mltasks.load("demo", MASKED)
    assert not masked["error"].str.contains(r"127\.0\.0\.1", na=False).any()
    assert not masked["reason"].str.contains(r"127\.0\.0\.1", na=False).any()
    texts = ["error", "reason", "response", "remote_job"]
    assert masked.drop(columns=texts).equals(plain.drop(columns=texts))
    assert masked["error"].isna().equals(plain["error"].isna())


def named(cluster: str) -> pd.DataFrame:
    """Return the tasks of `demo` as those of a cluster with three named nodes, one of them in an error."""
    tasks = mltasks.load("demo").assign(cluster=cluster)
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    ids = sorted(tasks["worker_node"].str.split(",").explode().dropna().unique())
    nodes = {key: metadata.Node(f"acme-data-{n}") for n, key in enumerate(ids)}
    info = metadata.ClusterInfo(cluster=cluster, as_of_ms=ctx.as_of_ms, nodes=nodes)
    tasks.attrs["mltasks"] = metadata.replace(
        ctx, source=f"https://{cluster}", readings=(info,), notes=(f"{cluster}: acme-data-0 left",)
    ).to_json()
    tasks.loc[tasks["state"] == "FAILED", "error"] = "acme-data-1: connection to acme-data-2 lost"
    return tasks


def test_the_clusters_address_and_the_nodes_names_are_masked_everywhere() -> None:
    tasks = mltasks.load(named("search.acme.test:9200"), MASKED)
    assert tasks["cluster"].unique().tolist() == [redact.cluster_name("search.acme.test:9200")]
    assert "acme" not in tasks.to_csv() + tasks.attrs["mltasks"]
    page = mltasks.report(mltasks.scan(named("search.acme.test:9200"), MASKED)).html()
    assert "acme" not in page
    assert "node-" in page


def test_a_name_that_somebody_gave_to_a_cluster_is_left() -> None:
    assert redact.cluster_name("prod-eu") == "prod-eu"
    assert redact.cluster_name(None) is None
    once = redact.cluster_name("h:9200/search")
    assert redact.cluster_name(once) == once


def test_filters_select_by_what_is_masked() -> None:
    tasks = named("h:9200")
    choices: list[FilterOptions] = [{"node": "acme-data-1"}, {"cluster": "H:9200"}, {"node": "data"}]
    for options in choices:
        plain = mltasks.workers(mltasks.scan(tasks, **options))
        masked = mltasks.workers(mltasks.scan(tasks, MASKED, **options))
        assert masked["tasks"].sum() == plain["tasks"].sum() > 0
        assert {*masked["worker_node"]} == {*plain["worker_node"]}
    errors = mltasks.errors(mltasks.scan(tasks, MASKED, error="acme-data-2"))
    assert errors["tasks"].sum() == mltasks.errors(mltasks.scan(tasks, error="acme-data-2"))["tasks"].sum() > 0
    assert "acme" not in errors.to_csv() + str(errors.attrs)


def test_filters_select_by_what_is_masked_in_several_sources(tmp_path: Path) -> None:
    files = [tmp_path / f"{cluster}.parquet" for cluster in ("a", "b")]
    for file in files:
        mltasks.write_parquet(named(f"{file.stem}.acme.test:9200"), file)
    choices: list[FilterOptions] = [{"node": "acme-data-1"}, {"cluster": "a.acme.test:9200"}]
    for options in choices:
        plain = mltasks.workers(mltasks.scan(files, **options))
        masked = mltasks.workers(mltasks.scan(files, MASKED, **options))
        assert masked["tasks"].sum() == plain["tasks"].sum() > 0
        assert "acme" not in masked.to_csv()


def test_a_clusters_address_is_in_nothing_that_is_read_or_written(tmp_path: Path) -> None:
    store = mltasks.Store(tmp_path / "store")
    with StubCluster({f"task-{n}": n for n in range(30)}) as stub:
        tasks = mltasks.load(stub.url, MASKED)
        ctx = mltasks.fetch(stub.url, tmp_path / "t.parquet", MASKED)
        first = store.sync(stub.url, MASKED)
        again = store.sync(stub.url)  # goes on under the name that the store has
    name = redact.cluster_name(stub.url.removeprefix("http://"))
    assert name is not None
    assert (tasks["cluster"] == name).all()
    assert (ctx.source, first.cluster, again.cluster, again.tasks) == (name, name, name, 30)
    assert store.verify() == []
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 4
    assert [path for path in written if b"127.0.0.1" in path.read_bytes() or "127.0.0.1" in str(path)] == []
    assert "127.0.0.1" not in tasks.to_csv() + tasks.attrs["mltasks"]


@pytest.mark.parametrize(
    ("word", "masked"),
    [
        ("http://u:PW@h", "http://***@h"),
        ("u:P/W@h:9200/x", "***@h:9200/x"),
        ("https://token@h", "https://***@h"),
        ("jo@example.com", "jo@example.com"),
        ("at u:p@h now", "at ***@h now"),
    ],
)
def test_a_login_before_a_host_is_masked_where_a_filter_is_described(word: str, masked: str) -> None:
    assert Filters(node=(word,)).describe() == {"node": [masked]}
