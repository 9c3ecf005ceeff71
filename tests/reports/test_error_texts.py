from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.reports import error_texts, known_errors
from mltasks.reports.error_texts import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("model orOPD6IB9vLLZ4ULaCNz on 0xQVWXx-Ti-v4Ke0u73pYQ", "model <id> on <id>"),
        ("text-embedding-3-small not found", "text-embedding-3-small not found"),
        ("ThreadedActionListener$1@18c0ec9d stopped", "ThreadedActionListener$<n>@<hash> stopped"),
        ("job 550e8400-e29b-41d4-a716-446655440000", "job <id>"),
        ("at 2026-11-24T22:00:01.123Z and 2026-11-24", "at <time> and <time>"),
        ("no such index [logs-2026.11.27]", "no such index [<name>]"),
        ("no such index [no_such_index]", "no such index [<name>]"),
        ("no such shard [logs][12]", "no such shard [<name>][<n>]"),
        ("index logs-2026.11.27 closed", "index logs-<time> closed"),
        ("huggingface.co", "<host>"),
        ("java.net.UnknownHostException: huggingface.co", "java.net.UnknownHostException: <host>"),
        ("[n2][127.0.0.1:9312] Node not connected", "[<name>][<host>] Node not connected"),
        ("point.length must equal 8", "point.length must equal <n>"),
        ("http://127.0.0.1:8089/nothing.zip", "<url>"),
        ("see <https://a.example/b?c=d#e>, please", "see <<url>>, please"),
        ("ask ops@example.com", "ask <email>"),
        ("/srv/models/fake-0.1.zip.gone (No such file or directory)", "<path> (No such file or directory)"),
        ("bert-1.0/pytorch_model.pt is cut", "<path> is cut"),
        ("read/write of bert-1.0", "read/write of bert-1.0"),
        ("hash d41d8cd98f00b204e9800998ecf8427e differs", "hash <hex> differs"),
        ("deadbeef and decade", "deadbeef and decade"),
        ("Timeout: [1m] after 1.5s, 60000ms", "Timeout: [<duration>] after <duration>, <duration>"),
        ("limit 512mb of 1.5 GB, -3 left", "limit <size> of <size>, <n> left"),
        ("status code 429 after 12 tries", "status code 429 after <n> tries"),
        ("status: 503", "status: 503"),
        ("[parsing_exception] of [GET] [foo]", "[parsing_exception] of [GET] [<name>]"),
        (
            "no permissions for [indices:data/read/search] and [cluster:admin/x]",
            "no permissions for [indices:data/read/search] and [cluster:admin/x]",
        ),
        ("name = n3/opensearch_ml_train, capacity = 10", "name = <node>/opensearch_ml_train, capacity = <n>"),
        ("two\n lines\t here", "two lines here"),
        ("", ""),
    ],
)
def test_what_differs_from_task_to_task_is_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_is_masked_the_same_each_time(text: str) -> None:
    assert mask(text) == mask(text)
    assert len(mask(text)) <= 12 * len(text)


@pytest.mark.parametrize("part", ["a.a.a.", "a/", "[", "[a", "a@", "http://", "-", "0", "1.", "a-1", "status ", "aA1_"])
def test_a_text_is_read_once_whatever_it_holds(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A regular expression that goes back over a text would not end on a megabyte; ours reads all of it."""
    whole = part * (1_000_000 // len(part))
    assert mask(whole) == mask(whole[: error_texts.MOST])
    monkeypatch.setattr(error_texts, "MOST", 200_000)
    assert mask(whole)


def test_no_two_causes_of_real_tasks_become_one() -> None:
    tasks = mltasks.load("demo")
    texts = tasks.loc[tasks["outcome"].isin(["failed", "partial"]), "reason"].unique()
    assert len(texts) == 28
    groups: dict[str, set[str]] = {}
    for text in texts:
        groups.setdefault(mask(text), set()).add(text)
    assert len(groups) == 20
    several = {masked: sorted(variants) for masked, variants in groups.items() if len(variants) > 1}
    assert several.pop("<host>") == ["artifacts.opensearch.org", "publish.djl.ai"]
    ((masked, variants),) = several.items()
    assert len(variants) == 8
    assert all(variant.startswith("rejected execution of ") for variant in variants)
    assert masked.startswith("rejected execution of ")


def test_every_text_of_real_tasks_is_known() -> None:
    known = known_errors.load_known_errors()
    tasks = mltasks.load("demo")
    for text in tasks.loc[tasks["outcome"].isin(["failed", "partial"]), "reason"].unique():
        error = known_errors.find_known_error(mask(text), known)
        assert error.cause != known_errors.UNKNOWN, text
        assert error.means.endswith(".")
        assert error.remedy.endswith(".")
